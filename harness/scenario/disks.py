"""The disks of a scenario's instance, by role."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.frozen import Frozen
from harness.scenario.sizes import Size
from harness.scenario.words import MIB, DeviceType, DiskBus, Role, VolumeBackend

_Bus = Annotated[DiskBus | None, Field(description="the disk's bus; default: 'hw_disk_bus'")]
_Size = Annotated[Size, Field(description="the disk's size; default: '16 MiB'")]
_DeviceName = Annotated[
    str | None,
    Field(
        pattern=r"^(vd|sd|hd)[a-z]+$",
        description="the device name that is asked for, such as 'vdc'; default: the first free one",
    ),
]


class RootDisk(Frozen):
    """The disk that the instance boots from: an overlay on its image, or a volume. There is one, in findings 'root'."""

    role: Literal[Role.ROOT]
    source: Literal["image", "volume"] = Field(
        default="image", alias="from", description="'volume' is boot from volume"
    )
    device: Literal[DeviceType.DISK, DeviceType.CDROM] = Field(
        default=DeviceType.DISK,
        description="'cdrom': the image is an ISO image ('disk_format' iso), and the root is a CD-ROM",
    )
    bus: DiskBus | None = Field(
        default=None, description="the disk's bus; default: 'hw_disk_bus', of a CD-ROM 'hw_cdrom_bus'"
    )
    serial: str | None = Field(
        default=None,
        min_length=1,
        description="the volume's id; only with 'from: volume'; default: 20 characters derived from the name",
    )
    device_name: _DeviceName = None
    backend: VolumeBackend | None = Field(
        default=None, description="what holds the volume; only with 'from: volume'; default: 'raw'"
    )
    encryption: Literal["luks"] | None = Field(
        default=None,
        description="what is stored is LUKS, and the guest sees plain content; only with 'from: volume'",
    )


class EphemeralDisk(Frozen):
    """A blank local disk. There may be any number, in findings 'ephemeral0', 'ephemeral1', and so on."""

    role: Literal[Role.EPHEMERAL]
    size_bytes: _Size = Field(default=16 * MIB, alias="size")
    bus: _Bus = None
    device_name: _DeviceName = None


class SwapDisk(Frozen):
    """A local disk with a swap signature. There is at most one, in findings 'swap'."""

    role: Literal[Role.SWAP]
    size_bytes: _Size = Field(default=16 * MIB, alias="size")
    bus: _Bus = None
    device_name: _DeviceName = None


class Volume(Frozen):
    """An attached volume. There may be any number, in findings by their 'name'."""

    role: Literal[Role.VOLUME]
    name: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_-]*$",
        max_length=64,
        description="the volume's name, which is no other disk's, nor 'rescue'; default: 'volume1', 'volume2', ..."
        " by the position among the volumes",
    )
    size_bytes: _Size = Field(default=16 * MIB, alias="size")
    bus: _Bus = None
    device: DeviceType = Field(
        default=DeviceType.DISK,
        description="the device type; with 'lun' the guest's SCSI commands reach an iSCSI target",
    )
    serial: str | None = Field(
        default=None,
        min_length=1,
        description="the volume's id, as the guest sees it; default: 20 characters derived from the name",
    )
    device_name: _DeviceName = None
    backend: VolumeBackend = Field(
        default=VolumeBackend.RAW,
        description="what holds the volume: a file, 'raw' or 'qcow2', or a server, 'nbd' or 'iscsi'",
    )
    encryption: Literal["luks"] | None = Field(
        default=None,
        description="what is stored is LUKS; QEMU opens it with a libvirt secret, the guest sees plain content",
    )


class ConfigDrive(Frozen):
    """Nova's config drive, labelled config-2. There is at most one, in findings 'config_drive'."""

    role: Literal[Role.CONFIG_DRIVE]
    format: Literal["iso9660", "vfat"] = Field(default="iso9660", description="'iso9660' is a CD-ROM, 'vfat' is a disk")


Disk = Annotated[RootDisk | EphemeralDisk | SwapDisk | Volume | ConfigDrive, Field(discriminator="role")]
