"""The places on the host of one case's parts: the values that turn a disk mapping into domain XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from harness.domain.disk_mapping import DiskMapping


@dataclass(frozen=True)
class Export:
    """A disk that a server on loopback offers; ``name`` is libvirt's: an NBD export, or an iSCSI target and LUN."""

    protocol: Literal["nbd", "iscsi"]
    name: str
    port: int


@dataclass(frozen=True)
class Encryption:
    """LUKS: the libvirt secret that a guest's QEMU opens the disk with, and its passphrase for the host's tools."""

    secret_uuid: str
    passphrase_path: Path


@dataclass(frozen=True)
class DiskSource:
    """A disk's file; the guest's QEMU opens the file itself, or reaches it through the server behind ``export``.

    ``below`` is the source that a snapshot put an overlay on.
    """

    path: Path
    format: Literal["raw", "qcow2"]
    encryption: Encryption | None = None
    export: Export | None = None
    below: DiskSource | None = None

    @property
    def defined_as(self) -> str:
        """The text by which ``harness.domain.xml.source_of`` returns this source from a domain."""
        return str(self.path) if self.export is None else f"{self.export.protocol}:{self.export.name}"


@dataclass(frozen=True)
class UefiFirmware:
    """An OVMF build: its code, the variable store a new instance starts from, and this instance's own store.

    ``secure_boot``: the build starts only signed programs, and guards its variables from the guest by SMM.
    """

    code_path: Path
    variables_template_path: Path
    variables_path: Path
    secure_boot: bool = False


@dataclass(frozen=True)
class EmulatedTpm:
    """A TPM 2.0: the folder of its state, and the libvirt secret that encrypts the state."""

    state_path: Path
    secret_uuid: str


@dataclass(frozen=True)
class DirectKernel:
    """Kernel, ramdisk and command line that QEMU starts itself, bypassing the firmware's boot order."""

    kernel_path: Path
    ramdisk_path: Path
    command_line: str


_FIRST_CONTEXT_ID, _CONTEXT_IDS = 0x1000, 0x7FFF0000
"""Far from the first ones, which libvirt gives to instances that ask for any (vsock(7): 0 to 2 are taken)."""


@dataclass(frozen=True)
class Placement:
    """One instance on one hypervisor.

    ``mapping`` has the disks of the instance. ``sources`` has the sources of these disks by the disks' names, and also
    those of the rescue disk and of volumes that are attached later. ``domain_type`` is ``qemu`` (TCG) or ``kvm``.
    ``rescue_variables_path`` is the copy of the UEFI variables that a rescued guest may write to. ``usb_cdrom_is_disk``
    says whether libvirt makes a USB CD-ROM a USB disk. ``nic_numbers`` are the numbers of the instance's further NICs,
    if steps have left other numbers than 1, 2, 3, ...
    """

    domain_name: str
    uuid: str
    mac: str
    domain_type: Literal["qemu", "kvm"]
    emulator: str
    mapping: DiskMapping
    sources: Mapping[str, DiskSource]
    uefi: UefiFirmware | None = None
    rescue_variables_path: Path | None = None
    usb_cdrom_is_disk: bool = True
    direct_kernel: DirectKernel | None = None
    share_path: Path | None = None
    tpm: EmulatedTpm | None = None
    nic_numbers: tuple[int, ...] | None = None

    @property
    def context_id(self) -> int:
        """The instance's address on its vsock (CID), the same at every start.

        ``<cid auto='yes'>`` would give the first one that is free at each start, whatever the instance had before.
        """
        return _FIRST_CONTEXT_ID + UUID(self.uuid).int % _CONTEXT_IDS
