"""A move is told by the part of the address that differs."""

from __future__ import annotations

import pytest

from harness.evidence.address import Address, FloppyUnit, ScsiUnit, UsbUnit
from harness.verdict.place import move

from ..support.verdict_inventories import address_of

DISK = address_of("0000:00:02.2", "0000:03:00.0")
UNIT = address_of("0000:03:00.0", unit=ScsiUnit(lun=1))

MOVES = {
    "another function": (
        DISK,
        address_of("0000:00:02.2", "0000:04:00.0"),
        ("0000:03:00.0", "0000:04:00.0", "PCI 0000:03:00.0 -> 0000:04:00.0"),
    ),
    "the same function behind another bridge": (
        DISK,
        address_of("0000:00:02.3", "0000:03:00.0"),
        (
            "0000:00:02.2/0000:03:00.0",
            "0000:00:02.3/0000:03:00.0",
            "PCI path 0000:00:02.2/0000:03:00.0 -> 0000:00:02.3/0000:03:00.0",
        ),
    ),
    "another unit": (
        UNIT,
        address_of("0000:03:00.0", unit=ScsiUnit(lun=2)),
        ("0:0:1", "0:0:2", "SCSI 0:0:1 -> 0:0:2 on PCI 0000:03:00.0"),
    ),
    "another controller": (
        UNIT,
        address_of("0000:04:00.0", unit=ScsiUnit(lun=1)),
        ("0000:03:00.0", "0000:04:00.0", "PCI 0000:03:00.0 -> 0000:04:00.0"),
    ),
    "another controller and unit": (
        UNIT,
        address_of("0000:04:00.0", unit=ScsiUnit()),
        (
            "0000:03:00.0 0:0:1",
            "0000:04:00.0 0:0:0",
            "PCI 0000:03:00.0 SCSI 0:0:1 -> PCI 0000:04:00.0 SCSI 0:0:0",
        ),
    ),
    "another bus": (
        UNIT,
        address_of("0000:03:00.0", unit=UsbUnit(ports="1", superspeed=True)),
        (
            "0000:03:00.0 0:0:1",
            "0000:03:00.0 superspeed 1",
            "PCI 0000:03:00.0 SCSI 0:0:1 -> PCI 0000:03:00.0 USB port superspeed 1",
        ),
    ),
    "no PCI function": (
        Address(unit=FloppyUnit(drive=0)),
        Address(unit=FloppyUnit(drive=1)),
        ("0", "1", "floppy 0 -> floppy 1"),
    ),
    "off PCI": (
        DISK,
        Address(elsewhere="platform/virtio0"),
        ("0000:03:00.0", "platform/virtio0", "PCI 0000:03:00.0 -> platform/virtio0"),
    ),
}


@pytest.mark.parametrize(("before", "after", "told"), MOVES.values(), ids=MOVES)
def test_a_move_is_told_by_what_differs(before: Address, after: Address, told: tuple[str, str, str]) -> None:
    assert move(before, after) == told
    assert move(before, before.model_copy()) is None
