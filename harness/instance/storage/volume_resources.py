"""Servers and secrets that a case's volumes and TPM need beside their files, made when first needed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.domain.placement import Encryption, Export
from harness.hypervisor.libvirt_secrets import SecretUsage, libvirt_secret
from harness.instance.storage.iscsi_server import IscsiServer, iscsi_server
from harness.instance.storage.nbd_server import nbd_server
from harness.scenario.words import VolumeBackend

PASSPHRASE_BYTES = 16


@dataclass
class VolumeResources:
    """Loopback servers for volumes, and libvirt secrets for volumes and TPM, until the end of a case's context."""

    folder: Path
    root: Path
    _held: ExitStack

    def export(self, backend: VolumeBackend, path: Path, volume: str) -> Export | None:
        """Serve a volume's file as the backend demands; return None for a backend without a server.

        Raises:
            HostError: the server is missing or does not come up.
        """
        match backend:
            case VolumeBackend.NBD:
                return self._held.enter_context(nbd_server(path, volume))
            case VolumeBackend.ISCSI:
                return self._iscsi.add(path, volume)
            case VolumeBackend.RAW | VolumeBackend.QCOW2:
                return None

    def encryption(self, name: str, usage: SecretUsage = "volume") -> Encryption:
        """Make a passphrase for a volume or a TPM, and give it to libvirt as a secret.

        Raises:
            HostError: libvirt does not accept the secret.
        """
        passphrase = secrets.token_hex(PASSPHRASE_BYTES)
        path = self.folder / f"{name}.passphrase"
        path.touch(mode=0o600)
        path.write_text(passphrase)
        return Encryption(self._held.enter_context(libvirt_secret(self.root, passphrase.encode(), usage)), path)

    @cached_property
    def _iscsi(self) -> IscsiServer:
        return self._held.enter_context(iscsi_server(self.folder))


@contextmanager
def volume_resources(folder: Path, root: Path) -> Iterator[VolumeResources]:
    """Provide resources with their files in ``folder``, for domains of the embedded driver in ``root``.

    Raises:
        HostError: a server has ended by itself.
    """
    with ExitStack() as held:
        yield VolumeResources(folder, root, held)
