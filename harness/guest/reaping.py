"""Reaping QEMU: libvirt waits for the daemonised process to be gone, which a slow or absent reaper as pid 1 delays.

So this process adopts the QEMUs it starts (prctl PR_SET_CHILD_SUBREAPER) and reaps each by its pid, so as not to take
the exit status of anybody else's child.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.01


@cache
def become_subreaper() -> None:
    """Let orphans of our descendants become our children."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def reaped(pid: int | None) -> Iterator[None]:
    """Reap ``pid`` if it ends while the context is open."""
    if pid is None:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_reap, args=(pid, done), name=f"reap {pid}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _reap(pid: int, done: threading.Event) -> None:
    while True:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return
        except ChildProcessError:
            return
        if done.wait(_POLL_S):
            return
