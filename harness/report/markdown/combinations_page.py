"""``docs/reference/combinations.md``: every rescue bus and device, with every machine and firmware."""

from __future__ import annotations

import itertools

from harness.report.markdown.text import table
from harness.scenario.words import DeviceType, Firmware
from harness.study.combinations import BUSES, DEVICES, HARDWARE, NEIGHBOURS, combinations, neighbours

_HEADER = """\
# Every combination of bus and device

The table shows what the reference implementation does with `hw_rescue_bus` and `hw_rescue_device`. The instance's root
disk is on virtio. *boots* means that the guest comes up from the rescue medium, and that a scenario of the shipped
suite shows it. Any other word names who refuses, with the number of the reason below the table. `rescue-harness
combinations` prints the same table.

"""


_NEIGHBOURS = """\
## Beside disks of the instance

Linux names disks on these buses as they arrive, and CD-ROMs likewise. The reference refuses a rescue device that would
make a name of the instance uncertain; see
[where the rescue device goes](../design/reference-implementation.md#where-the-rescue-device-goes). Each column is one
disk that the instance has beside a virtio root.
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
    tables = [*table(["bus", "device", *heads], rows), "", *notes, "", _NEIGHBOURS, *_neighbours_table()]
    return _HEADER + "\n".join(tables) + "\n"


def _neighbours_table() -> list[str]:
    older, newer = (
        {(each.bus, each.device, each.beside): each.refusal for each in neighbours(usb_cdrom_is_disk=is_disk)}
        for is_disk in (True, False)
    )
    rows = []
    for bus, device in dict.fromkeys((bus, device) for bus, device, _ in older):
        cells = [older[bus, device, beside] for beside in NEIGHBOURS]
        row = ["carried out" if refusal is None else "refused" for refusal in cells]
        differ = any((older[key] is None) != (newer[key] is None) for key in older if key[:2] == (bus, device))
        rows.append([str(bus), f"{device}, libvirt before 11.5" if differ else str(device), *row])
        if differ:
            row = ["carried out" if newer[bus, device, beside] is None else "refused" for beside in NEIGHBOURS]
            rows.append([str(bus), f"{device}, libvirt from 11.5 on", *row])
    heads = ["any CD-ROM" if device is DeviceType.CDROM else f"{bus} disk" for bus, device in NEIGHBOURS]
    return list(table(["bus", "device", *heads], rows))
