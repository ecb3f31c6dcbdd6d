"""Volumes behind an iSCSI server: one tgtd per case, with its own control socket, and one target per volume.

The host's own tgtd, if there is one, is neither used nor disturbed. See tgtd(8) and tgtadm(8). Neither page mentions
TGT_IPC_SOCKET, which names the control socket, and also lets tgtd run as an ordinary user.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from harness.domain.placement import Export
from harness.errors import HostError
from harness.image.command import run
from harness.instance.storage.server_process import LOOPBACK, server_process

ISCSI_PORT = 3260
"""The default port of iSCSI servers (IANA)."""
_LUN = 1
"""The first LUN that a target can give a disk: LUN 0 is the target's controller."""
# The path is relative to the case's folder, whose own path may be too long for a socket (sockaddr_un has 108 bytes).
_CONTROL = {"TGT_IPC_SOCKET": "tgtd.control"}
_ISCSI = ("--lld", "iscsi")


def target_name(volume: str) -> str:
    """Return the qualified name of a volume's target (RFC 3720, section 3.2.6.3), which contains no underscores."""
    return f"iqn.2024-01.invalid.rescue-harness:{volume.replace('_', '.')}"


def lun_name(volume: str) -> str:
    """Return a volume's target and LUN in libvirt's form."""
    return f"{target_name(volume)}/{_LUN}"


@dataclass(frozen=True)
class IscsiServer:
    """A running tgtd."""

    folder: Path
    port: int
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, path: Path, volume: str) -> Export:
        """Serve a file as the one LUN of a new target.

        Raises:
            HostError: tgtd refuses the file.
        """
        number = ("--tid", str(next(self._ids)))
        self._manage("--op", "new", "--mode", "target", *number, "--targetname", target_name(volume))
        self._manage("--op", "new", "--mode", "logicalunit", *number, "--lun", str(_LUN), "--backing-store", path)
        self._manage("--op", "bind", "--mode", "target", *number, "--initiator-address", LOOPBACK)
        return Export("iscsi", lun_name(volume), self.port)

    def answers(self) -> bool:
        """Return whether tgtd takes orders."""
        try:
            self._manage("--op", "show", "--mode", "target")
        except HostError:
            return False
        return True

    def _manage(self, *words: str | Path) -> None:
        run("tgtadm", *_ISCSI, *words, cwd=self.folder, environment=_CONTROL)


@contextmanager
def iscsi_server(folder: Path) -> Iterator[IscsiServer]:
    """Run tgtd with its files in ``folder``.

    Raises:
        HostError: tgtd is missing, does not come up, or has ended by itself.
    """
    with socket.socket() as reservation:
        # tgtd cannot be handed a socket. If both sockets have this option and nobody listens on this one, Linux lets
        # tgtd have the same port. Linux does not give the port to a program that asks for any free port.
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind((LOOPBACK, 0))
        port = reservation.getsockname()[1]
        command = ("tgtd", "--foreground", "--iscsi", f"portal={LOOPBACK}:{port}", *_found_by(folder))
        with server_process(
            command, folder / "tgtd.log", needed_for="an iSCSI volume", environment=_CONTROL
        ) as process:
            server = IscsiServer(folder, port)
            process.wait_until(server.answers)
            reservation.close()
            yield server


def _found_by(folder: Path) -> tuple[str, str]:
    """Name the folder on the command line, so that a killed run's tgtd can be found; this creates no file."""
    return "--pid-file", os.fspath(folder / "tgtd.pid")
