"""Reaping QEMU: libvirt waits for the daemonised process to be gone, which a slow or absent reaper as pid 1 delays.

So this process adopts what libvirt daemonises (prctl PR_SET_CHILD_SUBREAPER, see prctl(2)) and reaps it while libvirt
waits. Only emulators in a session of their own are reaped: others are somebody's children, such as the process between
libvirt and a QEMU that it daemonises, whose exit status libvirt itself waits for.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
QUICKLY_S = 0.02
LEISURELY_S = 0.25
EMULATOR = "qemu-system"


@cache
def become_subreaper() -> None:
    """Let orphans of our descendants become our children."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def orphans_reaped(every_s: float = QUICKLY_S) -> Iterator[None]:
    """Reap adopted daemons that end, or have ended, while the context is open."""
    become_subreaper()
    done = threading.Event()
    thread = threading.Thread(target=_reap_until, args=(done, every_s), name="reaper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _reap_until(done: threading.Event, every_s: float) -> None:
    while True:
        for pid in _adopted_zombies():
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
        if done.wait(every_s):
            return


def _adopted_zombies() -> Iterator[int]:
    own_session = os.getsid(0)
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in _read(children).split():
            # pid (name) state parent process-group session ...: proc_pid_stat(5)
            head, _, tail = _read(Path("/proc") / pid / "stat").rpartition(")")
            name, fields = head.partition("(")[2], tail.split()
            if name.startswith(EMULATOR) and fields[0] == "Z" and int(fields[3]) != own_session:
                yield int(pid)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
