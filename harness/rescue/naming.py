"""Which disks an instance has, on which bus, under which libvirt target name: Nova's block device mapping.

Follows nova.virt.libvirt.blockinfo (get_disk_mapping, find_disk_dev_for_disk_bus): names are given in the order root,
ephemerals, swap, volumes, config drive; the prefix comes from the bus; a name asked for is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from harness.scenario.checks import NAME_PREFIX
from harness.scenario.disks import ConfigDrive, EphemeralDisk, RootDisk, SwapDisk, Volume
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


def target_name(prefix: str, index: int) -> str:
    """The libvirt target name for a zero-based index: vda, ..., vdz, vdaa."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("a") + digit) + letters
    return prefix + letters


def target_index(target: str) -> int:
    """The zero-based index of a target name: 0 for vda, 26 for vdaa."""
    index = 0
    for letter in target[2:]:
        index = index * 26 + ord(letter) - ord("a") + 1
    return index - 1


def first_free_target(bus: DiskBus, taken: Collection[str]) -> str:
    """The first name of the bus's prefix that nobody has."""
    return next(name for name in (target_name(NAME_PREFIX[bus], index) for index in count()) if name not in taken)


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
    asked = {disk.device_name for disk in instance.disks if not isinstance(disk, ConfigDrive) and disk.device_name}
    taken: set[str] = set(asked)
    mapped: dict[int, MappedDisk] = {}
    for position, disk in _in_naming_order(instance):
        entry = _mapped(instance, disk, taken, name=_disk_name(instance, position))
        taken.add(entry.target)
        mapped[position] = entry
    return _with_scsi_units(instance, [mapped[position] for position in range(len(instance.disks))])


def _in_naming_order(
    instance: Instance,
) -> Iterator[tuple[int, RootDisk | EphemeralDisk | SwapDisk | Volume | ConfigDrive]]:
    order = (Role.ROOT, Role.EPHEMERAL, Role.SWAP, Role.VOLUME, Role.CONFIG_DRIVE)
    return iter(sorted(enumerate(instance.disks), key=lambda item: (order.index(item[1].role), item[0])))


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


def _mapped(
    instance: Instance,
    disk: RootDisk | EphemeralDisk | SwapDisk | Volume | ConfigDrive,
    taken: set[str],
    *,
    name: str,
) -> MappedDisk:
    if isinstance(disk, ConfigDrive):
        iso = disk.format == "iso9660"
        bus = cdrom_bus(instance) if iso else instance.properties.hw_disk_bus
        device = DeviceType.CDROM if iso else DeviceType.DISK
        return MappedDisk(name, disk.role, bus, device, first_free_target(bus, taken))
    device = disk.device if isinstance(disk, Volume | RootDisk) else DeviceType.DISK
    by_default = instance.properties.hw_disk_bus
    if isinstance(disk, RootDisk) and device is DeviceType.CDROM:
        by_default = cdrom_bus(instance)
    bus = disk.bus or by_default
    target = disk.device_name or first_free_target(bus, taken)
    return MappedDisk(name, disk.role, bus, device, target, serial=_serial(disk, name), boots=disk.role is Role.ROOT)


def _serial(disk: RootDisk | EphemeralDisk | SwapDisk | Volume, name: str) -> str | None:
    match disk:
        case Volume(device=DeviceType.FLOPPY | DeviceType.LUN):
            return None
        case Volume():
            return disk.serial or default_serial(name)
        case RootDisk(source="volume"):
            return disk.serial or default_serial(name)
        case _:
            return None


def _with_scsi_units(instance: Instance, disks: list[MappedDisk]) -> tuple[MappedDisk, ...]:
    """Nova gives every disk on virtio-scsi a unit of its own on target 0 (bug 1792077)."""
    if instance.properties.hw_scsi_model is not ScsiModel.VIRTIO_SCSI:
        return tuple(disks)
    units = count()
    return tuple(
        MappedDisk(**{**vars(disk), "scsi_unit": next(units)}) if disk.bus is DiskBus.SCSI else disk for disk in disks
    )
