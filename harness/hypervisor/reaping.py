"""Reaping of QEMU: libvirt waits until a daemonised process is gone, and a slow or absent reaper as pid 1 delays that.

So this process adopts the processes that libvirt daemonises (prctl PR_SET_CHILD_SUBREAPER, see prctl(2)) and reaps them
while libvirt waits. A daemonised process runs in another session than the harness and does not lead that session. The
leader is the process in between, whose exit status libvirt itself waits for (virCommandDaemonize). One leader is an
exception: QEMU's own go-between, left over when QEMU daemonises itself to be probed. Nobody else waits for that one.
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
    """Make this process the parent of orphans among its descendants."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def orphans_reaped(every_s: float = QUICKLY_S) -> Iterator[None]:
    """Reap adopted daemons until the end of the context, including those that have ended before."""
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
            if not tail:
                continue
            name, fields = head.partition("(")[2], tail.split()
            state, session = fields[0], int(fields[3])
            is_daemon = session not in (own_session, int(pid)) or name.startswith(EMULATOR)
            if state == "Z" and session != own_session and is_daemon:
                yield int(pid)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
