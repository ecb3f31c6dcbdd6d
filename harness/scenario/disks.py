"""The disks of a scenario's instance, by role."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.frozen import Frozen
from harness.scenario.sizes import Size
from harness.scenario.words import MIB, DeviceType, DiskBus, Role, VolumeBackend


class RootDisk(Frozen):
    """The disk the instance boots from: an overlay on the instance image, or a volume that holds its content."""

    role: Literal[Role.ROOT]
    source: Literal["image", "volume"] = Field(
        default="image", alias="from", description="'volume' is boot from volume"
    )
    device: Literal[DeviceType.DISK, DeviceType.CDROM] = Field(
        default=DeviceType.DISK, description="'cdrom': the image is an ISO image (disk_format iso)"
    )
    bus: DiskBus | None = Field(default=None, description="default: hw_disk_bus; of a cdrom, hw_cdrom_bus")
    serial: str | None = Field(default=None, min_length=1, description="the volume's id; only with 'from: volume'")
    device_name: str | None = Field(default=None, pattern=r"^(vd|sd|hd)[a-z]+$")
    backend: VolumeBackend | None = Field(
        default=None, description="what holds the volume, default: raw; only with 'from: volume'"
    )
    encryption: Literal["luks"] | None = Field(
        default=None, description="what is stored is LUKS, the guest sees plain text; only with 'from: volume'"
    )


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
    """An attached volume, with the volume's id as its serial."""

    role: Literal[Role.VOLUME]
    name: str | None = Field(
        default=None, pattern=r"^[a-z][a-z0-9_-]*$", max_length=64, description="default: volume1, volume2, ..."
    )
    size_bytes: Size = Field(default=16 * MIB, alias="size")
    bus: DiskBus | None = Field(default=None, description="default: hw_disk_bus")
    device: DeviceType = Field(
        default=DeviceType.DISK, description="'lun': the guest's SCSI commands reach an iSCSI target"
    )
    serial: str | None = Field(default=None, min_length=1, description="default: an id derived from the name")
    device_name: str | None = Field(default=None, pattern=r"^(vd|sd|hd)[a-z]+$", description="the name asked for")
    backend: VolumeBackend = Field(
        default=VolumeBackend.RAW,
        description="what holds the volume: a raw or qcow2 file, or a raw one behind a server of NBD or iSCSI",
    )
    encryption: Literal["luks"] | None = Field(
        default=None,
        description="what is stored is LUKS, which QEMU opens with a libvirt secret: the guest sees plain text",
    )


class ConfigDrive(Frozen):
    """Nova's config drive, labelled config-2: an ISO 9660 CD-ROM or a VFAT disk."""

    role: Literal[Role.CONFIG_DRIVE]
    format: Literal["iso9660", "vfat"] = "iso9660"


Disk = Annotated[RootDisk | EphemeralDisk | SwapDisk | Volume | ConfigDrive, Field(discriminator="role")]
