"""The words of scenario files: closed sets of values, and sizes in bytes.

They are Nova's (image properties, config drive, ephemeral) and libvirt's (machine, bus, device). Nothing but the
standard library is imported here, for the command line names the levels before anything else is loaded.
"""

from __future__ import annotations

from enum import StrEnum

KIB = 1024
MIB = 1024 * KIB


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
        """Return the deeper of two levels."""
        order = list(Level)
        return max(self, other, key=order.index)

    def is_within(self, depth: Level) -> bool:
        """Tell whether this level is no deeper than ``depth``."""
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
