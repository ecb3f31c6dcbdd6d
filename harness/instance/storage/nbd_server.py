"""A volume behind an NBD server: one qemu-nbd per volume, on a loopback port that the kernel chose.

The harness binds the port and hands the socket to qemu-nbd, which accepts it like a systemd service. So no other
program can take the port. The NBD project's doc/proto.md describes the protocol.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.domain.placement import Export
from harness.instance.storage.server_process import LOOPBACK, server_process

NBD_PORT = 10809
"""The default port of NBD servers (IANA)."""
_GREETING = b"NBDMAGIC"
_FIXED_NEWSTYLE, _ABORT = 1, 2
_GOODBYE = struct.pack(">L8sLL", _FIXED_NEWSTYLE, b"IHAVEOPT", _ABORT, 0)


@contextmanager
def nbd_server(path: Path, name: str) -> Iterator[Export]:
    """Serve a file that the host treats as raw as the export ``name``, to any number of guests in turn.

    Raises:
        HostError: qemu-nbd is missing, does not come up, or has ended by itself.
    """
    command = ("qemu-nbd", "--persistent", "--shared=0", "--format=raw", f"--export-name={name}", path)
    with ExitStack() as stack:
        with socket.create_server((LOOPBACK, 0)) as listener:
            port = listener.getsockname()[1]
            server = stack.enter_context(
                server_process(
                    command, path.with_name(f"qemu-nbd-{name}.log"), needed_for="an NBD volume", listener=listener
                )
            )
        server.wait_until(lambda: _answers(port))
        yield Export("nbd", name, port)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as client:
            greeting = client.recv(18)
            client.sendall(_GOODBYE)
            client.recv(20)
    except OSError:
        return False
    return greeting.startswith(_GREETING)
