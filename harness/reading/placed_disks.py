"""A scenario's disks with the bus and the device type in force, by which they are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.reading.problem import Key, dotted
from harness.scenario.disks import ConfigDrive, Disk, RootDisk, Volume
from harness.scenario.steps import Step, attached_volumes
from harness.scenario.words import DeviceType, DiskBus, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.models import Instance


@dataclass(frozen=True)
class Placed:
    """A disk with the bus and device type in force, and the key that decided on the bus."""

    key: Key
    disk: Disk
    name: str
    bus: DiskBus
    device: DeviceType
    bus_key: Key

    @property
    def told(self) -> str:
        """Its key as a message names it: ``disks.2``, ``steps.0.attach``."""
        return dotted(self.key).removeprefix("instance.")


def placed_disks(instance: Instance) -> Iterator[Placed]:
    """The disks that the instance has from the start."""
    properties: Key = ("instance", "properties")
    seen: dict[Role, int] = {}
    for index, disk in enumerate(instance.disks):
        key: Key = ("instance", "disks", index)
        earlier = seen.get(disk.role, 0)
        seen[disk.role] = earlier + 1
        device = DeviceType.DISK
        bus: DiskBus = instance.properties.hw_disk_bus
        bus_key: Key = (*properties, "hw_disk_bus")
        name = str(disk.role)
        match disk:
            case ConfigDrive(format="iso9660") | RootDisk(device=DeviceType.CDROM, bus=None):
                device = DeviceType.CDROM
                bus = instance.properties.hw_cdrom_bus or (DiskBus.SATA if instance.is_q35 else DiskBus.IDE)
                bus_key = (*properties, "hw_cdrom_bus")
            case ConfigDrive():
                pass
            case _ if disk.bus is not None:
                bus, bus_key = disk.bus, (*key, "bus")
        match disk:
            case RootDisk():
                device = disk.device
            case Volume():
                device, name = disk.device, disk.name or f"volume{earlier + 1}"
                bus_key = bus_key if device is DeviceType.DISK else (*key, "bus")
            case _ if disk.role is Role.EPHEMERAL:
                name = f"ephemeral{earlier}"
        yield Placed(key, disk, name, bus, device, bus_key)


def placed_volumes(instance: Instance, steps: tuple[Step, ...]) -> Iterator[Placed]:
    """The volumes that steps attach."""
    first = sum(disk.role is Role.VOLUME for disk in instance.disks)
    for position, (name, volume) in attached_volumes(first, steps).items():
        key: Key = ("steps", position, "attach")
        default: Key = ("instance", "properties", "hw_disk_bus")
        bus_key = default if volume.bus is None else (*key, "bus")
        yield Placed(key, volume, name, volume.bus or instance.properties.hw_disk_bus, volume.device, bus_key)
