from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from harness.hypervisor.connection import connect
from harness.hypervisor.reaping import QUICKLY_S, become_subreaper, orphans_reaped


@pytest.fixture
def emulator(tmp_path: Path) -> Path:
    path = tmp_path / "qemu-system-test"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", path)
    return path


def _daemonised(program: Path) -> psutil.Process:
    """Start a program in a session of its own whose parent ends at once, as libvirt starts QEMU."""
    become_subreaper()
    done = subprocess.run(
        ["sh", "-c", 'setsid "$0" 0.2 >/dev/null & echo $!', str(program)], capture_output=True, text=True, check=True
    )
    return psutil.Process(int(done.stdout))


def test_adopted_emulator_is_reaped(emulator: Path) -> None:
    process = _daemonised(emulator)
    with orphans_reaped():
        gone, _ = psutil.wait_procs([process], timeout=5)
    assert gone
    assert not psutil.pid_exists(process.pid)


def test_daemon_that_ends_before_it_becomes_an_emulator_is_reaped(tmp_path: Path) -> None:
    path = tmp_path / "not-yet"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", path)
    become_subreaper()
    go_between = subprocess.run(
        ["setsid", "--wait", "sh", "-c", '"$0" 0.2 >/dev/null & echo $!', str(path)], capture_output=True, check=True
    )
    daemon = psutil.Process(int(go_between.stdout))
    with orphans_reaped():
        gone, _ = psutil.wait_procs([daemon], timeout=5)
    assert gone


def test_adopted_emulator_that_ended_before_is_reaped(emulator: Path) -> None:
    process = _daemonised(emulator)
    while process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    with orphans_reaped():
        time.sleep(5 * QUICKLY_S)
    assert not psutil.pid_exists(process.pid)


def test_adopted_emulator_is_reaped_as_long_as_a_connection_is_open(emulator: Path) -> None:
    with connect("test:///default"):
        gone, _ = psutil.wait_procs([_daemonised(emulator)], timeout=5)
    assert gone


@pytest.mark.parametrize("session", [False, True], ids=["same session", "own session"])
def test_exit_status_of_anybody_elses_child_is_left(tmp_path: Path, session: bool) -> None:
    script = tmp_path / "child"
    script.write_text("#!/bin/sh\nexit 7\n")
    script.chmod(0o755)
    with orphans_reaped():
        child = subprocess.Popen([script], start_new_session=session)
        time.sleep(10 * QUICKLY_S)
        assert child.wait() == 7


def test_exit_status_of_our_own_emulator_is_left(emulator: Path) -> None:
    with orphans_reaped():
        child = subprocess.Popen([emulator, "not-a-number"], stderr=subprocess.DEVNULL)
        time.sleep(10 * QUICKLY_S)
        assert child.wait() == 1
