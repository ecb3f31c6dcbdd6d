"""Keep a daemon: reap the processes that it starts, and end them all when the harness no longer needs them.

    python daemon_keeper.py NAME COMMAND...

runs COMMAND until COMMAND ends or standard input is closed. Standard input is a pipe whose other end only the harness
has, so the kernel closes the pipe however the harness ends. Every process that the daemon has started by then is
killed, too: this process is a subreaper (prctl(2)), so it is the parent of them all. NAME becomes this process's name,
by which ``clean`` recognises it.
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
    """Run a daemon until it ends or standard input is closed; return the daemon's exit code."""
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
            # The daemon is reaped by now, so Popen must not wait for it.
            daemon.returncode = 0 if daemon.returncode is None else daemon.returncode


def _reaped() -> dict[int, int]:
    """Reap the children that have ended; return the wait status of each by its process id."""
    ended: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def _end_all() -> None:
    """Kill children until there are none: the children of a killed process become this process's children."""
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
