"""Which disks an instance has, on which bus, under which libvirt target name: Nova's block device mapping.

Follows nova.virt.libvirt.blockinfo (get_disk_mapping): names are given in the order root, ephemerals, swap, volumes,
config drive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.domain.target_names import NAME_PREFIX, deal_targets, target_index, target_name
from harness.scenario.disks import ConfigDrive, Disk, EphemeralDisk, RootDisk, Volume
from harness.scenario.models import Instance
from harness.scenario.words import DeviceType, DiskBus, Role, ScsiModel

RESCUE = "rescue"
ROOT = "root"
CONFIG_DRIVE = "config_drive"


@dataclass(frozen=True)
class MappedDisk:
    """One disk of the set with its place in the domain; ``scsi_unit`` is set where Nova deals units itself."""

    name: str
    role: Role
    bus: DiskBus
    device: DeviceType
    target: str
    serial: str | None = None
    scsi_unit: int | None = None
    boots: bool = False


def target_after(bus: DiskBus, taken: Iterable[str]) -> str:
    """The name after the highest taken one of the bus's prefix, never one in a gap."""
    prefix = NAME_PREFIX[bus]
    indices = [target_index(name) for name in taken if name.startswith(prefix)]
    return target_name(prefix, max(indices, default=-1) + 1)


def cdrom_bus(instance: Instance) -> DiskBus:
    """The bus of CD-ROMs on this instance (blockinfo.get_disk_bus_for_device_type, by the instance's own machine)."""
    if instance.properties.hw_cdrom_bus is not None:
        return instance.properties.hw_cdrom_bus
    return DiskBus.SATA if instance.is_q35 else DiskBus.IDE


def default_serial(name: str) -> str:
    """A volume's serial where the scenario names none: 20 characters, all that virtio-blk carries."""
    return hashlib.sha256(name.encode()).hexdigest()[:20]


def map_disks(instance: Instance) -> tuple[MappedDisk, ...]:
    """Map the instance's disk set in attach order."""
    kinds = [_bus_and_device(instance, disk) for disk in instance.disks]
    targets = deal_targets(instance.disks, [bus for bus, _ in kinds])
    mapped = []
    for position, (disk, (bus, device), target) in enumerate(zip(instance.disks, kinds, targets, strict=True)):
        name = _disk_name(instance, position)
        serial = _serial(disk, name)
        mapped.append(MappedDisk(name, disk.role, bus, device, target, serial, boots=disk.role is Role.ROOT))
    return with_scsi_units(instance, mapped)


def _disk_name(instance: Instance, position: int) -> str:
    disk = instance.disks[position]
    earlier = sum(other.role is disk.role for other in instance.disks[:position])
    match disk:
        case EphemeralDisk():
            return f"ephemeral{earlier}"
        case Volume():
            return disk.name or f"volume{earlier + 1}"
        case _:
            return str(disk.role)


def _bus_and_device(instance: Instance, disk: Disk) -> tuple[DiskBus, DeviceType]:
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
    """Nova gives every disk on virtio-scsi a unit of its own on target 0 (bug 1792077), volumes after its own disks.

    The root has the first one, be it a volume (LibvirtDriver._get_guest_storage_config).
    """
    if instance.properties.hw_scsi_model is not ScsiModel.VIRTIO_SCSI:
        return tuple(disks)
    on_scsi = [disk for disk in disks if disk.bus is DiskBus.SCSI]
    on_scsi.sort(key=lambda disk: (disk.role is not Role.ROOT, disk.role is Role.VOLUME))
    units = {disk.name: unit for unit, disk in enumerate(on_scsi)}
    return tuple(replace(disk, scsi_unit=units[disk.name]) if disk.name in units else disk for disk in disks)
