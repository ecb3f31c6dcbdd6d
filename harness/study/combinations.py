"""Tables of every bus and device type: whether the reference boots it, or else who refuses it.

``docs/reference/combinations.md`` has these tables.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from harness.domain.disk_mapping import MappedDisk, map_disks
from harness.errors import Refused
from harness.implementation.certain_names import require_certain_names
from harness.implementation.request import RescueRequest, resolve_request
from harness.scenario.disks import RootDisk, Volume
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage, RescueProperties
from harness.scenario.words import DeviceType, DiskBus, Firmware, Role

BUSES = tuple(DiskBus)
DEVICES = tuple(DeviceType)
NEIGHBOURS = (
    *((bus, DeviceType.DISK) for bus in BUSES if bus is not DiskBus.FDC),
    (DiskBus.SATA, DeviceType.CDROM),
)
"""The disks beside which a rescue device may leave names to chance: one on each bus, and one of all CD-ROMs."""
HARDWARE = tuple(itertools.product(("pc", "q35"), Firmware))


@dataclass(frozen=True)
class Combination:
    """One cell of the table; ``refusal`` is None where the guest boots."""

    machine: str
    firmware: Firmware
    bus: DiskBus
    device: DeviceType
    refusal: Refused | None


def combinations() -> Iterator[Combination]:
    """Yield every cell, by bus and device, then by machine and firmware."""
    for bus, device in itertools.product(BUSES, DEVICES):
        for machine, firmware in HARDWARE:
            instance = Instance(machine=machine, firmware=firmware, disks=(RootDisk(role=Role.ROOT),))
            image = RescueImage(properties=RescueProperties(hw_rescue_bus=bus, hw_rescue_device=device))
            yield Combination(machine, firmware, bus, device, _refusal(instance, image))


@dataclass(frozen=True)
class Neighbour:
    """A rescue device beside a volume of the instance; ``refusal`` is None where no name is left to chance."""

    bus: DiskBus
    device: DeviceType
    beside: tuple[DiskBus, DeviceType]
    refusal: Refused | None


def neighbours(*, usb_cdrom_is_disk: bool) -> Iterator[Neighbour]:
    """Yield every bootable rescue device beside every disk and CD-ROM that an instance may have.

    ``usb_cdrom_is_disk``: see harness.hypervisor.connection.
    """
    for bus, device in itertools.product(BUSES, (DeviceType.DISK, DeviceType.CDROM)):
        image = RescueImage(properties=RescueProperties(hw_rescue_bus=bus, hw_rescue_device=device))
        for beside in NEIGHBOURS:
            volume = Volume(role=Role.VOLUME, bus=beside[0], device=beside[1])
            instance = Instance(machine="pc", disks=(RootDisk(role=Role.ROOT), volume))
            try:
                request = resolve_request(instance, image)
            except Refused:
                continue
            if request is not None:
                disks = map_disks(instance).disks
                yield Neighbour(bus, device, beside, _of_names(disks, request, usb_cdrom_is_disk=usb_cdrom_is_disk))


def _of_names(disks: tuple[MappedDisk, ...], request: RescueRequest, *, usb_cdrom_is_disk: bool) -> Refused | None:
    try:
        require_certain_names(disks, request, usb_cdrom_is_disk=usb_cdrom_is_disk)
    except Refused as refused:
        return refused
    return None


def _refusal(instance: Instance, image: RescueImage) -> Refused | None:
    try:
        resolve_request(instance, image)
    except Refused as refused:
        return refused
    return None
