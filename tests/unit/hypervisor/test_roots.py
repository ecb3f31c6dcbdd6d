from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.errors import HostError
from harness.hypervisor.roots import (
    clean_root,
    display_ports,
    held_root,
    leftovers_everywhere,
    roots_folder,
    take_over_probes,
)

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESCUE_HARNESS_CACHE", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("harness.hypervisor.roots._MEMORY", tmp_path / "no such folder")
    path = roots_folder() / "0"
    path.mkdir()
    return path


@pytest.fixture
def emulator(root: Path) -> Iterator[Start]:
    """Starts processes that look like the root's own: a shell by QEMU's or a server's name, waiting on its input."""
    processes = []

    def start(*prefix: str, name: str = "qemu-system-test") -> subprocess.Popen[bytes]:
        program = root.parent / name
        shutil.copy("/bin/dash", program)
        command = [*prefix, str(program), "-c", "echo ready; read line", f"{root}/lib/monitor.sock"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_what_a_dead_run_left_is_found_and_removed(root: Path, emulator: Start) -> None:
    process = emulator()
    (root / "work" / "case").mkdir(parents=True)
    (root / "etc" / "qemu").mkdir(parents=True)
    (root / "etc" / "qemu" / "rh-1.xml").touch()
    ((path, found),) = leftovers_everywhere()
    assert path == root
    assert (found.domains, found.processes, found.folders) == (("rh-1",), (process.pid,), ("case",))
    assert clean_root(root) == found
    assert not psutil.pid_exists(process.pid)
    assert leftovers_everywhere() == []


@pytest.mark.parametrize("name", ["qemu-nbd", "tgtd", "swtpm"])
def test_server_of_a_dead_run_is_found_and_killed(root: Path, emulator: Start, name: str) -> None:
    process = emulator(name=name)
    ((_, found),) = leftovers_everywhere()
    assert (found.processes, found.servers) == ((), (process.pid,))
    assert str(found) == f"server process {process.pid}"
    clean_root(root)
    assert not psutil.pid_exists(process.pid)


def test_other_programs_that_use_a_root_are_left_alone(root: Path, emulator: Start) -> None:
    process = emulator(name="tail")
    assert leftovers_everywhere() == []
    assert not clean_root(root)
    assert process.poll() is None


def test_secrets_of_a_dead_run_are_removed(root: Path) -> None:
    (root / "etc" / "secrets").mkdir(parents=True)
    clean_root(root)
    assert not (root / "etc" / "secrets").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="changing the root directory takes root")
def test_emulator_of_the_same_path_below_another_root_directory_is_left_alone(
    root: Path, emulator: Start, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for folder in (*(Path(name) for name in ("/lib", "/lib64", "/usr")), tmp_path):
        target = other / folder.relative_to("/")
        target.mkdir(parents=True)
    mounts = "; ".join(f"mount --rbind {folder} {other}{folder}" for folder in ("/lib", "/lib64", "/usr"))
    copy = f"mkdir -p {other}{root.parent}; cp {root.parent}/qemu-system-test {other}{root.parent}/"
    process = emulator("unshare", "--mount", "sh", "-c", f'{mounts}; {copy}; exec chroot {other} "$0" "$@"')
    assert leftovers_everywhere() == []
    assert not clean_root(root)
    assert process.poll() is None


def test_new_root_takes_over_what_is_known_of_qemu_and_an_old_one_keeps_its_own(root: Path) -> None:
    def probes(path: Path) -> Path:
        return path / "cache" / "qemu" / "capabilities"

    other = roots_folder() / "1"
    take_over_probes(other, [root, other])
    assert not probes(other).exists()
    probes(root).mkdir(parents=True)
    (probes(root) / "qemu.xml").write_text("first")
    take_over_probes(other, [roots_folder() / "2", root])
    (probes(root) / "qemu.xml").write_text("second")
    take_over_probes(other, [root])
    assert (probes(other) / "qemu.xml").read_text() == "first"
    assert [path.name for path in probes(other).parent.iterdir()] == ["capabilities"]


@pytest.mark.skipif(os.getuid() != 0, reason="mounting takes root")
@pytest.mark.parametrize(("size", "is_used"), [("128m", False), ("1g", True)])
def test_memory_is_used_for_definitions_where_there_is_enough_of_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str, *, is_used: bool
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr("harness.hypervisor.roots._MEMORY", memory)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(memory)], check=False).returncode:
        pytest.skip("this host does not let tests mount")
    try:
        with held_root(in_memory=True) as held:
            assert held.path.is_relative_to(memory) is is_used
            assert held.path.is_relative_to(root.parent) is not is_used
    finally:
        subprocess.run(["umount", str(memory)], check=True)


def test_a_cache_folder_that_cannot_be_made_is_named_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RESCUE_HARNESS_CACHE", str(tmp_path / "file" / "x"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with pytest.raises(HostError, match=f"Not a directory while writing below {tmp_path}/file/") as raised:
        roots_folder()
    assert raised.value.hint == "set RESCUE_HARNESS_CACHE to a folder that takes it"


def test_no_two_roots_share_a_port_for_graphics_servers(root: Path) -> None:
    with held_root() as held:
        configuration = (held.path / "etc" / "qemu.conf").read_text()
    assert "remote_display_port_min = 5900\nremote_display_port_max = 5963\n" in configuration
    assert root == held.path
    assert display_ports(1) == range(5964, 6028)
