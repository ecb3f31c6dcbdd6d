"""Every bus with every device type, machine and firmware: what the reference makes of it, and who says no.

``docs/reference/combinations.md`` is this table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import Refused
from harness.implementation.request import resolve_request
from harness.scenario.disks import RootDisk
from harness.scenario.models import Instance, RescueImage, RescueProperties
from harness.scenario.words import DeviceType, DiskBus, Firmware, Role

BUSES = tuple(DiskBus)
DEVICES = tuple(DeviceType)
HARDWARE = tuple(itertools.product(("pc", "q35"), Firmware))


@dataclass(frozen=True)
class Combination:
    """One cell; ``refusal`` is None where it boots."""

    machine: str
    firmware: Firmware
    bus: DiskBus
    device: DeviceType
    refusal: Refused | None


def combinations() -> Iterator[Combination]:
    """Every cell, by bus and device, then machine and firmware."""
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
