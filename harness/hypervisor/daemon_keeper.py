"""Keeps a daemon: reaps what it starts, and ends all of it when nobody wants it any longer.

    python daemon_keeper.py NAME COMMAND...

runs COMMAND until it ends or standard input does. Standard input is a pipe whose other end only the harness has, so
that the kernel closes it however the harness ends. Whatever the daemon has started by then is killed, too: as a
subreaper (prctl(2)) this process is the parent of all of it. NAME is the process name, by which ``clean`` knows it.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


def keep(command: list[str]) -> int:
    """Run a daemon until it ends or standard input does; the exit code is the daemon's."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as daemon:
        try:
            while True:
                ready = select.select([sys.stdin, wake_read], [], [])[0]
                if wake_read in ready:
                    os.read(wake_read, 4096)
                    if (status := _reaped().get(daemon.pid)) is not None:
                        daemon.returncode = os.waitstatus_to_exitcode(status)
                        return daemon.returncode
                if sys.stdin in ready and not os.read(sys.stdin.fileno(), 4096):
                    return 0
        finally:
            _end_all()
            # Reaped by now, so that Popen has nothing to wait for.
            daemon.returncode = 0 if daemon.returncode is None else daemon.returncode


def _reaped() -> dict[int, int]:
    """The children that have ended, with their status."""
    ended: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def _end_all() -> None:
    """Kill children until there are none: those of a killed one become ours."""
    with suppress(ChildProcessError):
        while True:
            for listed in Path("/proc/self/task").glob("*/children"):
                for pid in listed.read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
            os.waitpid(-1, 0)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_NAME, sys.argv[1].encode(), 0, 0, 0)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sys.exit(keep(sys.argv[2:]))
