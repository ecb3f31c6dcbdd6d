"""What devices take of the host, and what becomes of a scenario where the host lacks it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import HostError
from harness.hypervisor import optional_parts
from harness.hypervisor.host_needs import lacking
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import Case, collect_cases
from harness.scenario.words import Level

from ..domain.test_disk_mapping import instance

SCENARIO = """\
name: vsock
summary: A vsock device
optional: {optional}
instance:
  devices: [vsock]
  disks: [{{role: root}}]
rescue_image:
  properties: {{hw_rescue_bus: virtio}}
"""
VSOCK = instance("root", devices=["vsock"])
TPM = instance("root", properties={"hw_tpm_version": "2.0"})
VIRTIOFS = instance("root", devices=["virtiofs"])


@pytest.fixture(autouse=True)
def bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without any of it."""
    monkeypatch.setattr(optional_parts, "VHOST_VSOCK", tmp_path / "vhost-vsock")
    monkeypatch.setattr(optional_parts, "search_path", lambda: str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: 1000)


def message(error: HostError | None) -> str:
    assert error is not None
    return str(error)


def test_a_host_that_mounts_no_vfat_is_told_before_nova_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*command: object) -> str:
        raise HostError(f"{command[0]}: unknown filesystem type 'vfat'")

    monkeypatch.setattr(optional_parts, "run", refuse)
    optional_parts.lacks_vfat_mounts.cache_clear()
    try:
        assert "unknown filesystem type 'vfat'" in message(optional_parts.lacks_vfat_mounts())
    finally:
        optional_parts.lacks_vfat_mounts.cache_clear()


@pytest.mark.parametrize("level", [Level.MACHINE, Level.GUEST])
def test_vsock_takes_the_hosts_device_where_qemu_is_started(level: Level) -> None:
    assert "vhost-vsock, which this host does not have" in message(lacking(VSOCK, level))
    assert "modprobe vhost_vsock" in message(lacking(VSOCK, level))
    assert lacking(VSOCK, Level.PLAN) is None


def test_vsock_device_that_is_there_will_do(tmp_path: Path) -> None:
    (tmp_path / "vhost-vsock").touch()
    assert lacking(VSOCK, Level.GUEST) is None


def test_tpm_takes_its_packages_where_it_is_started() -> None:
    assert "apt-get install swtpm swtpm-tools" in message(lacking(TPM, Level.GUEST))
    assert lacking(TPM, Level.PLAN) is None


def test_virtiofs_takes_root_already_to_be_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "takes root" in message(lacking(VIRTIOFS, Level.PLAN))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert lacking(VIRTIOFS, Level.PLAN) is None


def test_servers_of_volumes_are_looked_for() -> None:
    assert "apt-get install qemu-utils" in message(optional_parts.lacks_nbd())
    assert "tgt" in message(optional_parts.lacks_iscsi())


@pytest.mark.parametrize(
    ("optional", "level", "runs"), [("true", "guest", 0), ("false", "guest", 1), ("true", "plan", 1)]
)
def test_only_an_optional_scenario_is_left_out(tmp_path: Path, optional: str, level: str, runs: int) -> None:
    path = tmp_path / "vsock.yaml"
    path.write_text(SCENARIO.format(optional=optional))
    left_out: list[tuple[Case, HostError]] = []
    cases = collect_cases(
        [path], Reference(), level=Level(level), left_out=lambda case, why: left_out.append((case, why))
    )
    assert len(cases) == runs
    assert [case.id for case, _ in left_out] == ["vsock"] * (1 - runs)
    assert all("vhost-vsock" in why.message for _, why in left_out)
