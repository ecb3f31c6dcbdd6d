"""Commands over SSH, against a real server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko
import pytest

from harness.deadline import Deadline
from harness.errors import GuestError
from harness.guest.ssh import SshConnection

Ending = Callable[[paramiko.Transport, paramiko.Channel], None]
KEY = paramiko.ECDSAKey.generate()


class _Server(paramiko.ServerInterface):
    """Lets anybody in, and ends each command in a way of its own."""

    def __init__(self, transport: paramiko.Transport, end: Ending) -> None:
        self._transport = transport
        self._end = end

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel,), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel) -> None:
        channel.recv(1)  # nothing comes, but the end of the standard input: by then the client waits for the command
        self._end(self._transport, channel)


@contextmanager
def connected(end: Ending) -> Iterator[SshConnection]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            transport = paramiko.Transport(listening.accept()[0])
            transport.add_server_key(KEY)
            transport.start_server(server=_Server(transport, end))

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        port = listening.getsockname()[1]
        with SshConnection.open(port, KEY, None, Deadline.after(30)) as connection:
            yield connection
        server.join(30)


def finish(_transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    channel.sendall(b"all")
    channel.send_exit_status(3)
    channel.close()


def break_off(transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    channel.sendall(b"half")
    transport.close()


def kill(_transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    channel.close()


def test_a_command_that_ends_has_its_status_and_output() -> None:
    with connected(finish) as connection:
        done = connection.run("anything", Deadline.after(30))
    assert (done.exit_status, done.stdout) == (3, b"all")


@pytest.mark.parametrize("end", [break_off, kill])
def test_a_command_without_an_end_is_an_error_and_no_result(end: Ending) -> None:
    with connected(end) as connection, pytest.raises(GuestError) as error:
        connection.run("anything", Deadline.after(30))
    assert "anything" in error.value.message
    assert "the SSH connection broke" in error.value.message


class _Extended:
    """A limit that is over twice before it has passed."""

    timeout_s = 30.0

    def __init__(self) -> None:
        self.asked = 0

    @property
    def remaining_s(self) -> float:
        return 0.0

    @property
    def passed(self) -> bool:
        self.asked += 1
        return self.asked > 2


def finish_late(transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    time.sleep(0.25)
    finish(transport, channel)


def never_finish(_transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    channel.sendall(b"half")


def test_a_command_goes_on_until_its_limit_has_passed() -> None:
    with connected(finish_late) as connection:
        assert connection.run("anything", _Extended()).stdout == b"all"
    with (
        connected(never_finish) as connection,
        pytest.raises(GuestError, match="did not finish 'anything' within 30 s"),
    ):
        connection.run("anything", _Extended())
