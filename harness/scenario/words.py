"""The words of scenario files: closed sets of values, and units of size in bytes.

The words are Nova's (image properties, config drive, ephemeral) and libvirt's (machine, bus, device). This module
imports the standard library only, because the command line names the levels before anything else is loaded.
"""

from __future__ import annotations

from enum import StrEnum

KIB = 1024
MIB = 1024 * KIB


class Role(StrEnum):
    """The roles that a disk of an instance can have, as in Nova's block device mapping."""

    ROOT = "root"
    EPHEMERAL = "ephemeral"
    SWAP = "swap"
    VOLUME = "volume"
    CONFIG_DRIVE = "config_drive"


class DiskBus(StrEnum):
    """The buses of disks in a QEMU guest (nova.virt.libvirt.blockinfo.SUPPORTED_STORAGE_BUSES)."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    IDE = "ide"
    SATA = "sata"
    USB = "usb"
    FDC = "fdc"


class DeviceType(StrEnum):
    """The values of libvirt's ``<disk device=...>`` for the media that the harness can make."""

    DISK = "disk"
    CDROM = "cdrom"
    FLOPPY = "floppy"
    LUN = "lun"


class Firmware(StrEnum):
    """The firmware of the guest: SeaBIOS or OVMF."""

    BIOS = "bios"
    UEFI = "uefi"


class Level(StrEnum):
    """The source of the evidence: the domain that libvirt defined, a paused QEMU, or a booted Linux."""

    PLAN = "plan"
    MACHINE = "machine"
    GUEST = "guest"

    def or_deeper(self, other: Level) -> Level:
        """Return the deeper of two levels."""
        order = list(Level)
        return max(self, other, key=order.index)

    def is_within(self, depth: Level) -> bool:
        """Tell whether this level is no deeper than ``depth``."""
        return self.or_deeper(depth) is depth


class ScsiModel(StrEnum):
    """The values of ``hw_scsi_model`` for which QEMU on x86 has a controller."""

    VIRTIO_SCSI = "virtio-scsi"
    LSILOGIC = "lsilogic"
    LSISAS1068 = "lsisas1068"
    LSISAS1078 = "lsisas1078"
    VMPVSCSI = "vmpvscsi"


class VifModel(StrEnum):
    """The values of ``hw_vif_model`` for which QEMU on x86 and the guest images have drivers."""

    VIRTIO = "virtio"
    E1000 = "e1000"
    E1000E = "e1000e"
    RTL8139 = "rtl8139"
    VMXNET3 = "vmxnet3"


class OtherDevice(StrEnum):
    """The devices beside disks and NICs. A rescue must leave them where they are."""

    RNG = "rng"
    WATCHDOG = "watchdog"
    KEYBOARD = "keyboard"
    SERIAL = "serial"
    SHARE = "9p"
    VIRTIOFS = "virtiofs"
    VSOCK = "vsock"


class VolumeBackend(StrEnum):
    """The storage of a volume: a local file of either format, or a server that QEMU reaches over loopback."""

    RAW = "raw"
    QCOW2 = "qcow2"
    NBD = "nbd"
    ISCSI = "iscsi"


class ClaimName(StrEnum):
    """The claims, each of which must hold between two states. The names are part of the output format."""

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
    """The ways in which a case can end."""

    STABLE = "stable"
    MOVED = "moved"
    REFUSED = "refused"
    UNFIT = "unfit"
    ERROR = "error"
