"""The disks of a scenario as the checks see them: with the bus and the device type in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.domain.disk_mapping import bus_and_device, map_disks
from harness.domain.disk_names import attached_volumes
from harness.reading.problem import Key, dotted
from harness.scenario.disks import ConfigDrive, Disk, RootDisk, Volume
from harness.scenario.words import DeviceType, DiskBus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.models import Instance
    from harness.scenario.steps import Step

_DISK_BUS: Key = ("instance", "properties", "hw_disk_bus")
_CDROM_BUS: Key = ("instance", "properties", "hw_cdrom_bus")


@dataclass(frozen=True)
class Placed:
    """A disk with the bus and the device type in force, and the key that decided the bus.

    ``target`` is None for a volume that a step attaches: such a volume gets its target name when it is attached.
    """

    key: Key
    disk: Disk
    name: str
    bus: DiskBus
    device: DeviceType
    bus_key: Key
    target: str | None = None

    @property
    def told(self) -> str:
        """The disk's key as messages show it: ``disks.2``, ``steps.0.attach``."""
        return dotted(self.key).removeprefix("instance.")


def placed_disks(instance: Instance) -> Iterator[Placed]:
    """Yield the disks that the instance has from the start."""
    for index, (disk, mapped) in enumerate(map_disks(instance).pairs):
        key: Key = ("instance", "disks", index)
        yield Placed(key, disk, mapped.name, mapped.bus, mapped.device, _bus_key(key, disk), mapped.target)


def placed_volumes(instance: Instance, steps: tuple[Step, ...]) -> Iterator[Placed]:
    """Yield the volumes that steps attach."""
    for position, (name, volume) in attached_volumes(instance, steps).items():
        key: Key = ("steps", position, "attach")
        bus, device = bus_and_device(instance, volume)
        yield Placed(key, volume, name, bus, device, _DISK_BUS if volume.bus is None else (*key, "bus"))


def _bus_key(key: Key, disk: Disk) -> Key:
    match disk:
        case ConfigDrive(format="iso9660") | RootDisk(device=DeviceType.CDROM, bus=None):
            return _CDROM_BUS
        case ConfigDrive():
            return _DISK_BUS
        case Volume() if disk.device is not DeviceType.DISK:
            return (*key, "bus")
    return _DISK_BUS if disk.bus is None else (*key, "bus")
