"""What a user writes in a scenario file, as frozen values.

The words are Nova's (image properties, config drive, ephemeral) and libvirt's (machine, bus, device). Sizes are bytes.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from harness.frozen import Frozen

MIB = 1024 * 1024
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


Size = Annotated[
    int,
    BeforeValidator(_bytes_of),
    Field(gt=0, multiple_of=4096),
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


class Firmware(StrEnum):
    """What boots the guest: SeaBIOS or OVMF."""

    BIOS = "bios"
    UEFI = "uefi"


class ScsiModel(StrEnum):
    """Values of ``hw_scsi_model`` that x86 QEMU has a controller for."""

    VIRTIO_SCSI = "virtio-scsi"
    LSILOGIC = "lsilogic"
    LSISAS1068 = "lsisas1068"
    LSISAS1078 = "lsisas1078"
    VMPVSCSI = "vmpvscsi"


class RootDisk(Frozen):
    """The disk the instance boots from: an overlay on the instance image, or a volume that holds its content."""

    role: Literal[Role.ROOT]
    source: Literal["image", "volume"] = Field(
        default="image", alias="from", description="'volume' is boot from volume"
    )
    bus: DiskBus | None = Field(default=None, description="default: hw_disk_bus")
    serial: str | None = Field(default=None, min_length=1, description="the volume's id; only with 'from: volume'")
    device_name: str | None = Field(default=None, pattern=r"^(vd|sd|hd)[a-z]+$")


class EphemeralDisk(Frozen):
    """A blank local disk that Nova formats and labels ephemeralN."""

    role: Literal[Role.EPHEMERAL]
    size_bytes: Size = Field(default=16 * MIB, alias="size")
    bus: DiskBus | None = Field(default=None, description="default: hw_disk_bus")
    device_name: str | None = Field(default=None, pattern=r"^(vd|sd|hd)[a-z]+$")


class SwapDisk(Frozen):
    """A local disk that holds a swap signature."""

    role: Literal[Role.SWAP]
    size_bytes: Size = Field(default=16 * MIB, alias="size")
    bus: DiskBus | None = Field(default=None, description="default: hw_disk_bus")
    device_name: str | None = Field(default=None, pattern=r"^(vd|sd|hd)[a-z]+$")


class Volume(Frozen):
    """An attached volume: raw, with the volume's id as its serial."""

    role: Literal[Role.VOLUME]
    name: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_-]*$", description="default: volume1, volume2, ...")
    size_bytes: Size = Field(default=16 * MIB, alias="size")
    bus: DiskBus | None = Field(default=None, description="default: hw_disk_bus")
    device: DeviceType = DeviceType.DISK
    serial: str | None = Field(default=None, min_length=1, description="default: an id derived from the name")
    device_name: str | None = Field(default=None, pattern=r"^(vd|sd|hd)[a-z]+$", description="the name asked for")


class ConfigDrive(Frozen):
    """Nova's config drive, labelled config-2: an ISO 9660 CD-ROM or a VFAT disk."""

    role: Literal[Role.CONFIG_DRIVE]
    format: Literal["iso9660", "vfat"] = "iso9660"


Disk = Annotated[RootDisk | EphemeralDisk | SwapDisk | Volume | ConfigDrive, Field(discriminator="role")]


class InstanceProperties(Frozen):
    """Image properties of the instance's image, as Nova reads them."""

    hw_machine_type: str | None = Field(default=None, description="as instance.machine")
    hw_disk_bus: DiskBus = DiskBus.VIRTIO
    hw_cdrom_bus: DiskBus | None = Field(default=None, description="default: ide on pc, sata on q35")
    hw_floppy_bus: DiskBus = DiskBus.FDC
    hw_scsi_model: ScsiModel | None = Field(default=None, description="default: libvirt's, lsilogic on x86")
    hw_vif_model: Literal["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"] = "virtio"
    hw_pointer_model: Literal["usbtablet", "ps2mouse"] = "usbtablet"
    hw_usb_model: Literal["piix3-uhci", "ich9-ehci1", "nec-xhci", "qemu-xhci"] | None = Field(
        default=None, description="default: libvirt's, piix3-uhci, from which firmware reads 0.4 MB/s under TCG"
    )
    img_hv_type: str = Field(default="qemu", description="hypervisor the image is for: qemu, kvm, xen, lxc")


class Instance(Frozen):
    """The server: machine type, firmware, image properties and its disk set in attach order."""

    machine: str | None = Field(
        default=None,
        pattern=r"^(pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+)$",
        description="pc, q35 or a versioned one such as pc-q35-7.2; default: hw_machine_type, else pc",
    )
    firmware: Firmware = Firmware.BIOS
    memory: Size | None = Field(default=None, description="default: 256 MiB, with UEFI 384 MiB")
    properties: InstanceProperties = InstanceProperties()
    disks: tuple[Disk, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_of_each_unique_role(self) -> Instance:
        for role, at_least in ((Role.ROOT, 1), (Role.SWAP, 0), (Role.CONFIG_DRIVE, 0)):
            count = sum(disk.role is role for disk in self.disks)
            if not at_least <= count <= 1:
                msg = f"an instance has {'exactly' if at_least else 'at most'} one {role} disk, here are {count}"
                raise ValueError(msg)
        return self

    @property
    def memory_bytes(self) -> int:
        """The memory in force; OVMF cannot place Debian's kernel in 256 MiB."""
        return self.memory or (384 if self.firmware is Firmware.UEFI else 256) * MIB

    @property
    def machine_type(self) -> str:
        """The machine type in force."""
        return self.machine or self.properties.hw_machine_type or "pc"

    @property
    def is_q35(self) -> bool:
        """Whether the machine has a PCI Express root complex and no IDE."""
        return "q35" in self.machine_type


class RescueProperties(Frozen):
    """Image properties of the rescue image.

    Values are free text: what is no valid bus or device is for the implementation under test to refuse.
    """

    hw_rescue_bus: str | None = Field(default=None, examples=["virtio", "ide", "usb", "scsi", "sata", "fdc"])
    hw_rescue_device: str | None = Field(default=None, examples=["disk", "cdrom", "floppy"])
    hw_disk_bus: str | None = None
    hw_cdrom_bus: str | None = None
    hw_machine_type: str | None = None
    hw_scsi_model: str | None = None


class RescueImage(Frozen):
    """The medium the instance is rescued with."""

    properties: RescueProperties = RescueProperties()


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


class ExpectedFinding(Frozen):
    """One finding that must come; what is left out matches anything."""

    claim: ClaimName
    device: str = Field(description="the disk's name, or the device; shell wildcards match")
    before: str | None = None
    after: str | None = None


class Expectation(Frozen):
    """How a case should end, where ``when`` holds: exactly these findings, or the refusal with this reason."""

    when: dict[str, str] = Field(
        default_factory=dict,
        description="versions ('libvirt', 'qemu') or dotted keys of the scenario that must match for this entry",
    )
    verdict: Literal[VerdictName.STABLE, VerdictName.MOVED, VerdictName.REFUSED]
    findings: tuple[ExpectedFinding, ...] = ()
    reason: str | None = Field(default=None, description="a part of the refusal's message")

    @model_validator(mode="after")
    def _consistent(self) -> Expectation:
        if (self.verdict is VerdictName.MOVED) != bool(self.findings):
            msg = "'findings' goes with 'verdict: moved', which needs at least one"
            raise ValueError(msg)
        if (self.verdict is VerdictName.REFUSED) != (self.reason is not None):
            msg = "'reason' goes with 'verdict: refused', which needs one"
            raise ValueError(msg)
        return self


def _expectations(value: Any) -> Any:
    entries = value if isinstance(value, list | tuple) else [value]
    return [{"verdict": entry} if isinstance(entry, str) else entry for entry in entries]


class Exclusion(Frozen):
    """Matrix points that make no sense, and why."""

    when: dict[str, Any] = Field(min_length=1)
    reason: str = Field(min_length=1)


class Matrix(Frozen):
    """Fan-out: every combination of the axes' values, but for the exclusions."""

    axes: dict[str, tuple[Any, ...]] = Field(
        min_length=1, description="dotted key of the scenario -> values, such as 'instance.machine: [pc, q35]'"
    )
    exclude: tuple[Exclusion, ...] = ()


class Scenario(Frozen):
    """One scenario file, or one point of its matrix."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    summary: str = Field(min_length=1)
    links: tuple[str, ...] = ()
    instance: Instance
    rescue_image: RescueImage = RescueImage()
    matrix: Matrix | None = None
    expect: Annotated[tuple[Expectation, ...], BeforeValidator(_expectations)] = (
        Expectation(verdict=VerdictName.STABLE),
    )
