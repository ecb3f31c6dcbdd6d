"""Table of every bus, device type, machine and firmware: whether the reference boots it, or else who refuses it.

``docs/reference/combinations.md`` is this table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import Refused
from harness.implementation.request import resolve_request
from harness.scenario.disks import RootDisk
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage, RescueProperties
from harness.scenario.words import DeviceType, DiskBus, Firmware, Role

BUSES = tuple(DiskBus)
DEVICES = tuple(DeviceType)
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


def _refusal(instance: Instance, image: RescueImage) -> Refused | None:
    try:
        resolve_request(instance, image)
    except Refused as refused:
        return refused
    return None
