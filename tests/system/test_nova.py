"""Upstream Nova 34 in an environment of its own, at level plan, from the command line, pytest and Python.

RESCUE_HARNESS_TEST_DATA names a data folder in which Nova is kept from one test run to the next.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.errors import HostError
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.nova.opening import WORKER_LOG
from harness.scenario.rescue_image import RescueImage

from .conftest import CommandLine
from .support.nova_data import RELEASE, Data
from .support.nova_instances import NOVA, running

DISKS = """\
instance:
  properties: {hw_scsi_model: virtio-scsi}
  disks:
    - {role: root}
    - {role: ephemeral}
    - {role: swap}
    - {role: volume, bus: scsi}
    - {role: config_drive, format: vfat}
"""
USB = f"""\
name: usb
summary: A USB stick, before which Nova moves the tablet
{DISKS}rescue_image:
  properties: {{hw_rescue_bus: usb}}
expect:
  - when: {{implementation: nova, nova: ">=27"}}
    verdict: moved
    findings: [{{claim: other-hardware, device: usb, before: port 1, after: port 2}}]
  - stable
"""
CDROM = f"""\
name: cdrom
summary: A CD-ROM whose bus Nova takes from the rescue image's machine type, not from the instance's
{DISKS}  machine: q35
rescue_image:
  properties: {{hw_rescue_device: cdrom}}
expect:
  - when: {{implementation: nova}}
    verdict: refused
    reason: IDE controllers are unsupported
    guest: shut-off
  - stable
"""
MISSPELT = f"""\
name: misspelt
summary: A bus in capitals
{DISKS}rescue_image:
  properties: {{hw_rescue_bus: USB}}
expect: {{verdict: refused, reason: USB}}
"""


def test_a_release_is_added_and_listed(nova_line: CommandLine, nova_data: Data) -> None:
    if nova_data.said:
        assert "it demands libvirt 8.0.0 and QEMU 6.2.0" in nova_data.said
        assert "looking for Nova" in nova_data.said or "making the virtual environment" in nova_data.said
    listed = nova_line.run("nova", "list")
    assert listed.returncode == 0, listed.stderr
    assert NOVA in listed.stdout
    assert "libvirt 8.0.0 and QEMU 6.2.0" in listed.stdout


def test_nova_and_the_reference_side_by_side(nova_line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name, text in (("usb", USB), ("cdrom", CDROM), ("misspelt", MISSPELT)):
        (folder / f"{name}.yaml").write_text(text)
    both = ("--implementation", NOVA, "--implementation", "reference")
    ran = nova_line.run("run", "--level", "plan", "--keep-going", *both, "--results", "out", "scenarios")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (run,) = (tmp_path / "out").glob("2*/run.json")
    results = {each["case"]: each for each in json.loads(run.read_text())["results"]}
    assert {case: each["verdict"] for case, each in results.items()} == {
        "usb": "stable",
        f"usb@{NOVA}": "moved",
        "cdrom": "stable",
        f"cdrom@{NOVA}": "refused",
        "misspelt": "refused",
        f"misspelt@{NOVA}": "refused",
    }
    assert results[f"usb@{NOVA}"]["implementation"] == NOVA
    assert results[f"usb@{NOVA}"]["versions"]["nova"] == RELEASE
    assert "nova" not in results["usb"]["versions"]
    cdrom = results[f"cdrom@{NOVA}"]["refusal"]
    assert (cdrom["refused_by"], cdrom["guest"]) == ("libvirt", "shut-off")
    assert cdrom["reason"].endswith("has by then destroyed the guest, which stays off")
    misspelt = results[f"misspelt@{NOVA}"]["refusal"]
    assert misspelt == {
        "reason": "ValueError: Field value USB is invalid",
        "refused_by": "nova-api",
        "guest": "running",
    }
    inventory = json.loads((run.parent / f"usb-nova-{RELEASE}" / "rescued" / "inventory.json").read_text())
    held = {device["marker"]["disk"] for device in inventory["block_devices"]}
    assert held == {"root", "ephemeral0", "swap", "volume1", "config_drive", "rescue"}
    assert nova_line.work_folders() == []


def test_a_level_that_nova_does_not_have_is_one_message(nova_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "usb.yaml").write_text(USB)
    ran = nova_line.run("run", "--level", "machine", "--implementation", NOVA, "usb.yaml")
    assert ran.returncode == 2
    assert f"{NOVA} has level plan and guest so far, level machine is asked for" in ran.stderr


def test_pytest_takes_the_implementation(
    pytester: pytest.Pytester, nova_data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_DATA", str(nova_data.folder))
    folder = pytester.mkdir("scenarios")
    (folder / "usb.yaml").write_text(USB.replace('nova: ">=27"', 'nova: "<27"'))
    options = ("--rescue-level", "plan", "--rescue-implementation", NOVA, "--rescue-implementation", "reference")
    ran = pytester.runpytest_subprocess("scenarios", *options)
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines([f"*again:*usb@{NOVA}*--rescue-implementation {NOVA}*"])


@pytest.fixture
def nova(nova_data: Data) -> Iterator[Nova]:
    environment = Environments(nova_data.folder / "nova").find(RELEASE)
    with Nova(environment) as opened:
        yield opened


def without_times(xml: str) -> str:
    return re.sub("<nova:creationTime>[^<]*", "", xml)


def test_a_rescue_leaves_no_trace_in_the_next(nova: Nova) -> None:
    first = running(nova, machine="q35")
    stable = RescueImage.model_validate({"properties": {"hw_rescue_bus": "virtio"}})
    before = without_times(nova.rescued(first, stable).xml)
    legacy = nova.rescued(first, RescueImage()).xml
    assert 'machine="pc"' in legacy, "legacy rescue goes by the rescue image's machine type"
    assert without_times(nova.rescued(first, stable).xml) == before
    assert 'machine="q35"' in nova.normal(first.instance, first.placement)


def test_a_worker_that_hangs_or_dies_loses_one_request(nova_data: Data) -> None:
    environment = Environments(nova_data.folder / "nova").find(RELEASE)
    with Nova(environment, request_timeout_s=8) as nova:
        instance = running(nova)
        pids = [nova.worker.pid]
        rescue_path = Path(next(iter(nova.disk_names(instance.placement))))
        log_path = rescue_path.parents[2] / WORKER_LOG
        assert log_path.exists()
        os.kill(nova.worker.pid or 0, signal.SIGSTOP)
        with pytest.raises(HostError, match=rf"{NOVA}: the worker did not answer 'normal' in 8 s"):
            nova.normal(instance.instance, instance.placement)
        assert running(nova).live_xml
        pids.append(nova.worker.pid)
        os.kill(nova.worker.pid or 0, signal.SIGKILL)
        with pytest.raises(HostError, match=rf"{NOVA}: the worker died of signal 9"):
            nova.normal(instance.instance, instance.placement)
        assert running(nova).live_xml
        pids.append(nova.worker.pid)
    assert len(set(pids)) == 3
    assert not log_path.exists()
    assert not any(psutil.pid_exists(pid or 0) for pid in pids)
