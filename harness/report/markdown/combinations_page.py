"""``docs/reference/combinations.md``: every rescue bus and device, with every machine and firmware."""

from __future__ import annotations

import itertools

from harness.report.markdown.text import table
from harness.scenario.words import Firmware
from harness.study.combinations import BUSES, DEVICES, HARDWARE, combinations

_HEADER = """\
# Every combination of bus and device

The table shows what the reference implementation does with `hw_rescue_bus` and `hw_rescue_device`. The instance's root
disk is on virtio. *boots* means that the guest comes up from the rescue medium, and that a scenario of the shipped
suite shows it. Any other word names who refuses, with the number of the reason below the table. `rescue-harness
combinations` prints the same table.

"""


def combinations_page() -> str:
    """Return the page as Markdown."""
    cells = {(cell.bus, cell.device, cell.machine, cell.firmware): cell.refusal for cell in combinations()}
    heads = [f"{machine}, {'SeaBIOS' if firmware is Firmware.BIOS else 'OVMF'}" for machine, firmware in HARDWARE]
    rows: list[list[str]] = []
    reasons: dict[str, str] = {}
    for bus, device in itertools.product(BUSES, DEVICES):
        row: list[str] = [bus, device]
        for machine, firmware in HARDWARE:
            refusal = cells[bus, device, machine, firmware]
            if refusal is None:
                row.append("boots")
            else:
                number = reasons.setdefault(f"{refusal.refused_by}: {refusal.reason}", str(len(reasons) + 1))
                row.append(f"{refusal.refused_by} ({number})")
        rows.append(row)
    notes = [f"{number}. {reason}" for reason, number in reasons.items()]
    return _HEADER + "\n".join([*table(["bus", "device", *heads], rows), "", *notes]) + "\n"
