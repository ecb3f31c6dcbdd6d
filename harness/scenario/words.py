"""The words of scenario files: closed sets of values, and sizes in bytes.

They are Nova's (image properties, config drive, ephemeral) and libvirt's (machine, bus, device).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

KIB = 1024
MIB = 1024 * KIB
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?")
_UNITS = {"B": 1, "KiB": 1024, "MiB": MIB, "GiB": 1024 * MIB}


def _bytes_of(value: object) -> object:
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            msg = "a size is a number of bytes or a number with KiB, MiB or GiB, such as '16 MiB'"
            raise ValueError(msg)
        return int(match[1]) * _UNITS[match[2] or "B"]
    return value


# 16 TiB is what ext4 holds of files with blocks of 4 KiB, and so what a sparse file of a disk may be.
Size = Annotated[
    int,
    BeforeValidator(_bytes_of),
    Field(gt=0, le=16 * 1024 * _UNITS["GiB"], multiple_of=4096),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 4096}, {"type": "string", "pattern": r"^\d+ ?(B|KiB|MiB|GiB)$"}]}
    ),
]


class Role(StrEnum):
    """What a disk is to its instance."""

    ROOT = "root"
    EPHEMERAL = "ephemeral"
    SWAP = "swap"
    VOLUME = "volume"
    CONFIG_DRIVE = "config_drive"


class DiskBus(StrEnum):
    """Buses on which QEMU guests have disks (nova.virt.libvirt.blockinfo.SUPPORTED_STORAGE_BUSES)."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    IDE = "ide"
    SATA = "sata"
    USB = "usb"
    FDC = "fdc"


class DeviceType(StrEnum):
    """libvirt's ``<disk device=...>`` for media the harness can make."""

    DISK = "disk"
    CDROM = "cdrom"
    FLOPPY = "floppy"
    LUN = "lun"


class Firmware(StrEnum):
    """What boots the guest: SeaBIOS or OVMF."""

    BIOS = "bios"
    UEFI = "uefi"


class Level(StrEnum):
    """Where evidence comes from: what libvirt defined, what a paused QEMU has, what a booted Linux sees."""

    PLAN = "plan"
    MACHINE = "machine"
    GUEST = "guest"

    def or_deeper(self, other: Level) -> Level:
        """The deeper one of two levels."""
        order = list(Level)
        return max(self, other, key=order.index)

    def is_within(self, depth: Level) -> bool:
        """Whether it is no deeper than another."""
        return self.or_deeper(depth) is depth


class ScsiModel(StrEnum):
    """Values of ``hw_scsi_model`` that x86 QEMU has a controller for."""

    VIRTIO_SCSI = "virtio-scsi"
    LSILOGIC = "lsilogic"
    LSISAS1068 = "lsisas1068"
    LSISAS1078 = "lsisas1078"
    VMPVSCSI = "vmpvscsi"


class VifModel(StrEnum):
    """Values of ``hw_vif_model`` that x86 QEMU and the guest images have drivers for."""

    VIRTIO = "virtio"
    E1000 = "e1000"
    E1000E = "e1000e"
    RTL8139 = "rtl8139"
    VMXNET3 = "vmxnet3"


class OtherDevice(StrEnum):
    """Devices beside disks and NICs that a rescue must leave where they are."""

    RNG = "rng"
    WATCHDOG = "watchdog"
    KEYBOARD = "keyboard"
    SERIAL = "serial"
    SHARE = "9p"
    VIRTIOFS = "virtiofs"
    VSOCK = "vsock"


class VolumeBackend(StrEnum):
    """What holds a volume: a local file of either format, or a server that the guest's QEMU reaches over loopback."""

    RAW = "raw"
    QCOW2 = "qcow2"
    NBD = "nbd"
    ISCSI = "iscsi"


class ClaimName(StrEnum):
    """What must hold between two states; the names are part of the output format."""

    BOOTED_FROM_RESCUE = "booted-from-rescue"
    ALL_PRESENT = "all-present"
    NAMES = "names"
    ADDRESSES = "addresses"
    LINKS = "links"
    IDENTITY = "identity"
    CONTENT = "content"
    ONLY_ADDITION = "only-addition"
    OTHER_HARDWARE = "other-hardware"
    RESTORED = "restored"
    DATA = "data"


class VerdictName(StrEnum):
    """How a case ended."""

    STABLE = "stable"
    MOVED = "moved"
    REFUSED = "refused"
    ERROR = "error"
