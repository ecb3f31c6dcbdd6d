"""Volumes behind real servers and in LUKS: what a guest writes is what the host reads, and nothing is left over."""

from __future__ import annotations

import secrets
import signal
from functools import partial
from pathlib import Path

import psutil
import pytest

from harness.domain.placement import DiskSource, Encryption, Export
from harness.errors import GuestError, HostError
from harness.image.command import run
from harness.implementation.reference.implementation import Reference
from harness.instance.storage.disk_image import copy_to_image, create_image, raw_view, write_block
from harness.instance.storage.fingerprint import fingerprint
from harness.instance.storage.iscsi_server import iscsi_server
from harness.instance.storage.nbd_server import nbd_server
from harness.reading.cases import collect_cases
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.words import MIB, Level, VerdictName

from .conftest import CommandLine, wait_for

BLOCK = secrets.token_bytes(4096)
EVERY_BACKEND = """\
name: backends
summary: A volume on every backend
instance:
  disks:
    - {role: root, from: volume, backend: qcow2}
    - {role: volume, backend: nbd, encryption: luks}
    - {role: volume, backend: iscsi}
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""


@pytest.fixture
def raw(tmp_path: Path) -> DiskSource:
    source = DiskSource(tmp_path / "volume.raw", "raw")
    create_image(source, MIB)
    return source


def address(export: Export) -> str:
    return f"{export.protocol}://127.0.0.1:{export.port}/{export.name}"


def write_as_a_guest(export: Export) -> None:
    run("qemu-io", "-f", "raw", "-c", "write -q -P 0x5a 4096 4096", address(export))


def read_by_the_host(source: DiskSource, scratch: Path) -> bytes:
    with raw_view(source, scratch) as path:
        return path.read_bytes()[4096:8192]


def running(folder: Path) -> list[psutil.Process]:
    """Servers with their files in a folder."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] in ("qemu-nbd", "tgtd")
        and any(str(folder) in word for word in process.info["cmdline"] or ())
    ]


def test_host_reads_what_was_written_through_nbd(raw: DiskSource, tmp_path: Path) -> None:
    with nbd_server(raw.path, "volume") as export:
        for _guest in range(2):
            write_as_a_guest(export)
        assert read_by_the_host(raw, tmp_path) == b"\x5a" * 4096
        assert "option negotiation" not in (tmp_path / "qemu-nbd-volume.log").read_text()
    assert not running(tmp_path)


def test_host_reads_what_was_written_through_iscsi(raw: DiskSource, tmp_path: Path) -> None:
    other = DiskSource(tmp_path / "other.raw", "raw")
    create_image(other, MIB)
    with iscsi_server(tmp_path) as server:
        server.add(other.path, "an_other")
        write_as_a_guest(server.add(raw.path, "volume"))
        assert read_by_the_host(raw, tmp_path) == b"\x5a" * 4096
        assert read_by_the_host(other, tmp_path) == bytes(4096)
    assert not running(tmp_path)


def test_servers_of_two_cases_do_not_meet(raw: DiskSource, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with iscsi_server(tmp_path / "one") as one, iscsi_server(tmp_path / "two") as two:
        exports = [server.add(raw.path, "volume") for server in (one, two)]
        assert exports[0].port != exports[1].port
        for export in exports:
            run("qemu-img", "info", address(export))


def test_iscsi_server_works_in_a_folder_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with iscsi_server(folder) as server:
        assert server.answers()


@pytest.fixture
def encryption(tmp_path: Path) -> Encryption:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("open sesame")
    return Encryption("00000000-0000-4000-8000-000000000000", passphrase)


@pytest.mark.parametrize("image_format", ["raw", "qcow2"])
def test_encrypted_volume_holds_what_is_written_and_does_not_show_it(
    image_format: str, encryption: Encryption, tmp_path: Path
) -> None:
    source = DiskSource(tmp_path / "volume", image_format, encryption)  # type: ignore[arg-type]
    create_image(source, MIB)
    write_block(source, 4096, BLOCK)
    assert read_by_the_host(source, tmp_path) == BLOCK
    assert len(fingerprint(source, tmp_path)) == MIB // 4096
    assert BLOCK not in source.path.read_bytes()


def test_encrypted_volume_is_read_beside_its_server(encryption: Encryption, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(bytes(4096) + BLOCK + bytes(MIB - 8192))
    source = DiskSource(tmp_path / "volume", "raw", encryption)
    copy_to_image(source, content)
    with nbd_server(source.path, "volume"):
        assert read_by_the_host(source, tmp_path) == BLOCK


def test_server_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(HostError, match="an NBD volume needs qemu-nbd, and this host does not have it") as raised,
        nbd_server(tmp_path / "volume.raw", "volume"),
    ):
        pass
    assert raised.value.hint == "install qemu-utils"


def test_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(HostError, match=r"qemu-nbd ended by itself with exit code 1(.|\n)*No such file"),
        nbd_server(tmp_path / "missing.raw", "volume"),
    ):
        pass


def test_server_that_dies_is_the_cause_of_what_went_wrong_meanwhile(raw: DiskSource, tmp_path: Path) -> None:
    with (
        pytest.raises(HostError, match="qemu-nbd ended by itself with exit code -9"),
        nbd_server(raw.path, "volume"),
    ):
        lose_the_server(tmp_path)


def lose_the_server(folder: Path) -> None:
    kill_servers(folder)
    raise GuestError("the volume cannot be read")


def kill_servers(folder: Path) -> None:
    servers = running(folder)
    for process in servers:
        process.kill()
    for process in servers:
        wait_for(partial(is_over, process), "the end of a server", 5)


def is_over(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_ZOMBIE


def test_interrupt_ends_a_server(raw: DiskSource, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), nbd_server(raw.path, "volume"):
        raise KeyboardInterrupt
    assert not running(tmp_path)


@pytest.fixture
def every_backend(tmp_path: Path) -> Path:
    path = tmp_path / "backends.yaml"
    path.write_text(EVERY_BACKEND)
    return path


def test_case_with_every_backend_leaves_nothing(own_session: Session, every_backend: Path) -> None:
    (case,) = collect_cases([every_backend], Reference(), level=Level.MACHINE)
    root = own_session.hypervisor.root
    result = run_case(case, own_session)
    assert (result.verdict, result.findings) == (VerdictName.STABLE, ())
    assert not running(root.path)
    assert not list(root.work_path.iterdir())
    assert not list((root.path / "etc" / "secrets").iterdir())


def test_server_that_dies_under_a_guest_is_no_finding(own_session: Session, every_backend: Path) -> None:
    (case,) = collect_cases([every_backend], Reference())

    def kill_soon(phase: str) -> None:
        if phase == "rescued":
            kill_servers(own_session.hypervisor.root.path)

    result = run_case(case, own_session, kill_soon)
    assert result.verdict is VerdictName.ERROR
    assert result.failure is not None
    assert result.failure.kind == "HostError"
    assert "ended by itself with exit code -9" in result.failure.message


def test_servers_of_a_killed_run_are_cleaned_up(command_line: CommandLine, every_backend: Path) -> None:
    process = command_line.start("run", str(every_backend))
    wait_for(command_line.guests, "a running guest")
    process.kill()
    process.communicate(timeout=60)
    assert len(running(command_line.cache)) == 2
    assert command_line.run("clean").stdout.count("server process") == 2
    assert not command_line.qemus()
    assert not command_line.work_folders()
    assert not list(command_line.cache.glob("hv/*/etc/secrets/*"))


def test_servers_of_an_interrupted_run_end_with_it(command_line: CommandLine, every_backend: Path) -> None:
    process = command_line.start("run", str(every_backend))
    wait_for(command_line.guests, "a running guest")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not command_line.qemus()
    assert not list(command_line.cache.glob("hv/*/etc/secrets/*"))
