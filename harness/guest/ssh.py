"""One SSH connection into a guest, with a deadline around everything."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import paramiko

from harness.deadline import Deadline, TimeLimit
from harness.errors import GuestError

# Destroying a guest breaks its SSH connection; an exception reports that to the caller, not a line on standard error.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_READ_BYTES = 65536
_MEANWHILE_S = 0.5
_BANNER = b"SSH-"
_NO_EXIT_STATUS = -1
"""paramiko's value for a channel that closed without a status: paramiko reports a broken connection as an end, too."""


@dataclass(frozen=True)
class Completed:
    """The exit status and output of a command."""

    exit_status: int
    stdout: bytes
    stderr: bytes


class SshConnection:
    """A logged-in connection on a loopback port; commands run one at a time."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport

    @classmethod
    def open(
        cls, port: int, key: paramiko.PKey, host_key: str | None, deadline: Deadline, *, user: str = "root"
    ) -> Self:
        """Log in; accept only ``host_key``, or any host key if it is None.

        Raises:
            GuestError: no server answers before the deadline, its host key is wrong, or it does not accept ``key``.
        """
        expected = None if host_key is None else _parsed_key(host_key)
        transport = None
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=max(0.1, deadline.remaining_s))
            transport = paramiko.Transport(sock)
            transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = deadline.remaining_s
            transport.start_client(timeout=max(0.1, deadline.remaining_s))
            if expected not in (None, transport.get_remote_server_key()):
                raise GuestError("the SSH server that answered is not the guest that was booted: its host key differs")
            transport.auth_publickey(user, key)
        except paramiko.AuthenticationException as error:
            transport.close()  # type: ignore[union-attr]
            raise GuestError(f"the guest's SSH server does not let {user} in: {error}") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            if transport is not None:
                transport.close()
            raise GuestError(
                f"SSH does not answer on 127.0.0.1:{port}: {str(error) or type(error).__name__}"
            ) from error
        except GuestError:
            transport.close()  # type: ignore[union-attr]
            raise
        return cls(transport)

    @property
    def host_key(self) -> str:
        """The host key that the server showed, written as in known_hosts."""
        shown = self._transport.get_remote_server_key()
        return f"{shown.get_name()} {shown.get_base64()}"

    def run(self, command: str, deadline: TimeLimit, *, stdin: bytes = b"") -> Completed:
        """Run a command to its end.

        Raises:
            GuestError: the command did not end before the deadline, it was killed, or the connection broke.
        """
        first_words = command.split("\n", 1)[0][:60]
        try:
            channel = self._transport.open_session(timeout=max(0.1, deadline.remaining_s))
            with channel:
                channel.settimeout(max(0.1, deadline.remaining_s))
                channel.exec_command(command)
                if stdin:
                    channel.sendall(stdin)
                channel.shutdown_write()
                stdout = _read_all(channel, deadline)
                stderr = channel.makefile_stderr("rb").read()
                while not channel.status_event.wait(max(0.1, deadline.remaining_s)):
                    if deadline.passed:
                        raise TimeoutError
                if (exit_status := channel.recv_exit_status()) == _NO_EXIT_STATUS:
                    raise GuestError(
                        f"'{first_words}' has no end in the guest: the SSH connection broke, or it was killed"
                    )
                return Completed(exit_status, stdout, stderr)
        except TimeoutError as error:
            raise GuestError(f"the guest did not finish '{first_words}' within {deadline.timeout_s:.0f} s") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise GuestError(f"the SSH connection broke during '{first_words}': {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def is_listening(port: int, timeout_s: float, *, meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Tell whether an SSH server answers on a loopback port; call ``meanwhile`` twice a second while it does not.

    An accepted connection is no proof: QEMU accepts connections for a guest that does not listen yet.
    """
    deadline = Deadline.after(timeout_s)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as sock:
            sock.settimeout(_MEANWHILE_S)
            while not deadline.passed:
                try:
                    return sock.recv(len(_BANNER)) == _BANNER
                except TimeoutError:
                    meanwhile()
    except OSError:
        pass
    return False


def _parsed_key(text: str) -> paramiko.PKey:
    kind, encoded = text.split()[:2]
    return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))


def _read_all(channel: paramiko.Channel, deadline: TimeLimit) -> bytes:
    parts: list[bytes] = []
    while True:
        channel.settimeout(max(0.1, deadline.remaining_s))
        try:
            part = channel.recv(_READ_BYTES)
        except TimeoutError:
            if deadline.passed:
                raise
            continue
        if not part:
            return b"".join(parts)
        parts.append(part)
