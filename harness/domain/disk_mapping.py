"""Nova's block device mapping: an instance's disks, each with its bus and its libvirt target name.

The mapping follows nova.virt.libvirt.blockinfo (get_disk_mapping): target names are given in the order root,
ephemerals, swap, volumes, config drive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.domain.disk_names import disk_names
from harness.domain.target_names import NAME_PREFIX, deal_targets, target_index, target_name
from harness.scenario.disks import ConfigDrive, Disk, RootDisk, Volume
from harness.scenario.models import Instance
from harness.scenario.words import DeviceType, DiskBus, Role, ScsiModel


@dataclass(frozen=True)
class MappedDisk:
    """One disk of the instance with its place in the domain. ``scsi_unit`` is set if Nova itself numbers the units."""

    name: str
    role: Role
    bus: DiskBus
    device: DeviceType
    target: str
    serial: str | None = None
    scsi_unit: int | None = None
    boots: bool = False


@dataclass(frozen=True)
class DiskMapping:
    """An instance's disks in attach order, each beside its place in the domain."""

    pairs: tuple[tuple[Disk, MappedDisk], ...]

    @cached_property
    def disks(self) -> tuple[MappedDisk, ...]:
        """The places in the domain, in attach order."""
        return tuple(mapped for _, mapped in self.pairs)

    @cached_property
    def by_name(self) -> Mapping[str, MappedDisk]:
        """The places in the domain by the disks' names, in attach order."""
        return {mapped.name: mapped for mapped in self.disks}

    def of_role(self, role: Role) -> tuple[MappedDisk, ...]:
        """Return the places in the domain of the disks of a role, in attach order."""
        return tuple(mapped for mapped in self.disks if mapped.role is role)


def target_after(bus: DiskBus, taken: Iterable[str]) -> str:
    """Return the target name after the highest taken name with the bus's prefix. A gap below is never filled."""
    prefix = NAME_PREFIX[bus]
    indices = [target_index(name) for name in taken if name.startswith(prefix)]
    return target_name(prefix, max(indices, default=-1) + 1)


def cdrom_bus(instance: Instance) -> DiskBus:
    """Return the bus of the instance's CD-ROMs, by its machine type (blockinfo.get_disk_bus_for_device_type)."""
    if instance.properties.hw_cdrom_bus is not None:
        return instance.properties.hw_cdrom_bus
    return DiskBus.SATA if instance.is_q35 else DiskBus.IDE


def default_serial(name: str) -> str:
    """Return the serial of a volume without a serial in the scenario: 20 characters, as virtio-blk carries no more."""
    return hashlib.sha256(name.encode()).hexdigest()[:20]


def map_disks(instance: Instance) -> DiskMapping:
    """Map the instance's disk set. This is done once; ``Placement`` has the mapping from then on."""
    disks = instance.disks
    targets = deal_targets(disks, [bus_and_device(instance, disk)[0] for disk in disks])
    mapped = [
        mapped_disk(instance, disk, name, target)
        for disk, name, target in zip(disks, disk_names(disks), targets, strict=True)
    ]
    return DiskMapping(tuple(zip(disks, with_scsi_units(instance, mapped), strict=True)))


def mapped_disk(instance: Instance, disk: Disk, name: str, target: str) -> MappedDisk:
    """Map one disk of the instance, or a volume that is attached to the instance, under the given target name."""
    bus, device = bus_and_device(instance, disk)
    return MappedDisk(name, disk.role, bus, device, target, _serial(disk, name), boots=disk.role is Role.ROOT)


def bus_and_device(instance: Instance, disk: Disk) -> tuple[DiskBus, DeviceType]:
    """Return the bus and the device type in force for a disk of the instance, or for one that is attached to it."""
    match disk:
        case ConfigDrive(format="iso9660"):
            return cdrom_bus(instance), DeviceType.CDROM
        case ConfigDrive():
            return instance.properties.hw_disk_bus, DeviceType.DISK
        case RootDisk(device=DeviceType.CDROM):
            return disk.bus or cdrom_bus(instance), DeviceType.CDROM
    device = disk.device if isinstance(disk, Volume) else DeviceType.DISK
    return disk.bus or instance.properties.hw_disk_bus, device


def _serial(disk: Disk, name: str) -> str | None:
    match disk:
        case Volume(device=DeviceType.FLOPPY | DeviceType.LUN):
            return None
        case Volume():
            return disk.serial or default_serial(name)
        case RootDisk(source="volume"):
            return disk.serial or default_serial(name)
        case _:
            return None


def with_scsi_units(instance: Instance, disks: Sequence[MappedDisk]) -> tuple[MappedDisk, ...]:
    """Give every disk on virtio-scsi a unit of its own on target 0, as Nova does (bug 1792077).

    The root disk has the first unit, even if it is a volume. The other volumes come after all other disks
    (LibvirtDriver._get_guest_storage_config).
    """
    if instance.properties.hw_scsi_model is not ScsiModel.VIRTIO_SCSI:
        return tuple(disks)
    on_scsi = [disk for disk in disks if disk.bus is DiskBus.SCSI]
    on_scsi.sort(key=lambda disk: (disk.role is not Role.ROOT, disk.role is Role.VOLUME))
    units = {disk.name: unit for unit, disk in enumerate(on_scsi)}
    return tuple(replace(disk, scsi_unit=units[disk.name]) if disk.name in units else disk for disk in disks)
