"""What Linux will call a domain's disks, and where it may be anyone's guess."""

from __future__ import annotations

import pytest

from harness.evidence.address import GuestBus
from harness.evidence.inventory import BlockKind
from harness.evidence.kernel_names import Slot, predict_names


def virtio(disk: str, host: int) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.VIRTIO, host)


def scsi(disk: str) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.SCSI)


def usb(disk: str) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.USB)


def sata(disk: str) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.ATA)


def cdrom(disk: str, bus: GuestBus = GuestBus.ATA) -> Slot:
    return Slot(disk, BlockKind.CDROM, bus)


USUAL = {
    "virtio in PCI order whatever libvirt calls them": (
        (virtio("late", 7), virtio("early", 3)),
        {"early": "vda", "late": "vdb"},
    ),
    "SCSI disks have no order": ((scsi("a"), scsi("b")), {"a": "sda or sdb", "b": "sda or sdb"}),
    "SATA disks have no order": ((sata("a"), sata("b")), {"a": "sda or sdb", "b": "sda or sdb"}),
    "SCSI and SATA disks have no order": (
        (sata("a"), sata("b"), scsi("c")),
        {"a": "sda..sdc", "b": "sda..sdc", "c": "sda..sdc"},
    ),
    "a USB stick comes after SCSI disks": ((usb("stick"), scsi("root")), {"root": "sda", "stick": "sdb"}),
    "a USB stick comes after all others": (
        (usb("stick"), scsi("a"), sata("b")),
        {"stick": "sdc", "a": "sda or sdb", "b": "sda or sdb"},
    ),
    "several USB sticks have no order, and come last": (
        (usb("one"), usb("two"), scsi("root")),
        {"root": "sda", "one": "sdb or sdc", "two": "sdb or sdc"},
    ),
    "a single disk is certain": ((sata("a"), cdrom("b"), virtio("c", 1)), {"a": "sda", "b": "sr0", "c": "vda"}),
    "CD-ROMs have no order": (
        (cdrom("a"), cdrom("b", GuestBus.SCSI), scsi("disk")),
        {"a": "sr0 or sr1", "b": "sr0 or sr1", "disk": "sda"},
    ),
    "a floppy has its drive's number": ((Slot("f", BlockKind.FLOPPY, GuestBus.FLOPPY, -1, drive=1),), {"f": "fd1"}),
}


@pytest.mark.parametrize(("slots", "names"), USUAL.values(), ids=USUAL.keys())
def test_usual_name(slots: tuple[Slot, ...], names: dict[str, str]) -> None:
    assert {disk: str(name) for disk, name in predict_names(slots).items()} == names


def test_any_of_several_sd_disks_may_have_any_sd_name() -> None:
    names = predict_names((scsi("a"), usb("b"), virtio("v", 1)))
    assert names["a"].possible == names["b"].possible == ("sda", "sdb")
    assert names["v"].possible == ("vda",)


def test_names_go_on_after_z() -> None:
    names = predict_names([virtio(f"disk{number}", number) for number in range(28)])
    assert [str(names[f"disk{number}"]) for number in (25, 26, 27)] == ["vdz", "vdaa", "vdab"]
