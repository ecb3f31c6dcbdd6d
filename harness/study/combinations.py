"""Table of every bus, device type, machine and firmware: whether the reference boots it, or else who refuses it.

``docs/reference/combinations.md`` is this table; a test keeps the two equal.
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
_HEADER = """\
# Every combination of bus and device

The table shows the outcome of the reference implementation for each `hw_rescue_bus` and `hw_rescue_device`, on an
instance whose root disk is on virtio. *boots* means that the guest boots from the rescue medium, as a scenario of the
shipped suite shows. Any other cell names the part that refuses, and the reason is below the table.
`rescue-harness combinations` prints the same table.

"""


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


def combinations_page() -> str:
    """Return the page as Markdown."""
    cells = {(cell.bus, cell.device, cell.machine, cell.firmware): cell.refusal for cell in combinations()}
    heads = [f"{machine}, {'SeaBIOS' if firmware is Firmware.BIOS else 'OVMF'}" for machine, firmware in HARDWARE]
    lines = [f"| bus | device | {' | '.join(heads)} |", f"| --- | --- |{' --- |' * len(heads)}"]
    reasons: dict[str, str] = {}
    for bus, device in itertools.product(BUSES, DEVICES):
        row = []
        for machine, firmware in HARDWARE:
            refusal = cells[bus, device, machine, firmware]
            if refusal is None:
                row.append("boots")
            else:
                number = reasons.setdefault(f"{refusal.refused_by}: {refusal.reason}", str(len(reasons) + 1))
                row.append(f"{refusal.refused_by} ({number})")
        lines.append(f"| {bus} | {device} | {' | '.join(row)} |")
    notes = [f"{number}. {reason}" for reason, number in reasons.items()]
    return _HEADER + "\n".join([*lines, "", *notes]) + "\n"
