"""A server that the harness starts for a case's volumes.

The harness keeps the server's output, notices the server's end, and ends the server with its context.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.deadline import Deadline
from harness.errors import HarnessError, HostError
from harness.image.command import LAST_LINES, quoted, search_path

LOOPBACK = "127.0.0.1"
PACKAGES = {"qemu-nbd": "qemu-utils", "tgtd": "tgt"}
"""The Debian packages of the servers, by command."""
START_S = 30.0
"""The limit for a server's start, which takes a fiftieth of a second, or longer on a busy host."""
_POLL_S = 0.01
_WITH_LISTENER = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0 0</dev/null'
"""The descriptor on which a service manager hands over a listening socket: sd_listen_fds(3)."""


@dataclass(frozen=True)
class ServerProcess:
    """A running server."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Poll until the server is ready.

        Raises:
            HostError: the server ended or took too long; the error quotes the server's output.
        """
        deadline = Deadline.after(START_S)
        while not condition():
            self.require_running()
            if deadline.passed:
                raise self._trouble(f"{self.name} did not answer within {START_S:.0f} s")
            time.sleep(_POLL_S)

    def require_running(self) -> None:
        """Check that nothing except the end of its context has ended the server.

        Raises:
            HostError: the server has ended; the error quotes the server's output.
        """
        status = self.process.poll()
        if status is None and psutil.Process(self.process.pid).status() == psutil.STATUS_ZOMBIE:
            status = self.process.wait()  # the kernel gives the exit code only once the last thread has ended
        if status is not None:
            raise self._trouble(f"{self.name} ended by itself with exit code {status}")

    def kill(self) -> None:
        """End the server and wait for its end. The data that it has confirmed is in the page cache of its files."""
        self.process.kill()
        self.process.wait()

    def _trouble(self, message: str) -> HostError:
        lines = self.log_path.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return HostError(message + quoted(lines), hint="see 'Servers of volumes' in docs/how-to/troubleshooting.md")


@contextmanager
def server_process(
    command: Sequence[str | Path],
    log_path: Path,
    *,
    needed_for: str,
    listener: socket.socket | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[ServerProcess]:
    """Run a server until the end of the context, in the folder of its log and out of reach of Ctrl-C.

    ``needed_for`` names the thing that needs the server. A ``listener`` is handed over to the server. If the server
    ends before its context does, it caused any error in the context, so the server's end is raised in place of that
    error.

    Raises:
        HostError: the server is not installed, or has ended by itself.
    """
    name = str(command[0])
    path = shutil.which(name, path=search_path())
    if path is None:
        raise HostError(f"{needed_for} needs {name}, and this host does not have it", hint=f"install {PACKAGES[name]}")
    words = [path, *command[1:]]
    if listener is not None:
        words = ["sh", "-c", _WITH_LISTENER, name, *words]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            words,
            cwd=log_path.parent,
            env=os.environ | {"LC_ALL": "C.UTF-8"} | dict(environment or {}),
            stdin=subprocess.DEVNULL if listener is None else listener.fileno(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = ServerProcess(name, process, log_path)
    try:
        yield server
        server.require_running()
    except HarnessError:
        server.require_running()
        raise
    finally:
        server.kill()
