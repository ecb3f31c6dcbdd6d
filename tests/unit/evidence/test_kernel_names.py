"""What Linux will call a domain's disks, and where it may be anyone's guess."""

from __future__ import annotations

import pytest

from harness.evidence.address import GuestBus
from harness.evidence.inventory import BlockKind
from harness.evidence.kernel_names import Slot, predict_names


def virtio(disk: str, host: int) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.VIRTIO, host)


def scsi(disk: str, lun: int, *, host: int = 1, target: int = 0, created: int = 0) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.SCSI, host, target=target, lun=lun, created=created)


def usb(disk: str) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.USB, 9)


def sata(disk: str) -> Slot:
    return Slot(disk, BlockKind.DISK, GuestBus.ATA, 2)


def cdrom(disk: str) -> Slot:
    return Slot(disk, BlockKind.CDROM, GuestBus.ATA, 2)


USUAL = {
    "virtio in PCI order whatever libvirt calls them": (
        (virtio("late", 7), virtio("early", 3)),
        {"early": "vda", "late": "vdb"},
    ),
    "one target: LUN 0, then the newest first": (
        (scsi("root", 0, created=0), scsi("b", 1, created=1), scsi("c", 2, created=2)),
        {"root": "sda", "c": "sdb", "b": "sdc"},
    ),
    "a target of its own comes last": (
        (scsi("root", 0), scsi("b", 1, created=1), scsi("rescue", 0, target=1, created=2)),
        {"root": "sda", "b": "sdb", "rescue": "sdc"},
    ),
    "a second controller comes after the first": (
        (scsi("new", 0, host=5), scsi("old", 0, host=1)),
        {"old": "sda", "new": "sdb"},
    ),
    "a USB stick comes after SCSI disks": ((usb("stick"), scsi("root", 0)), {"root": "sda", "stick": "sdb"}),
    "several USB sticks have no order": (
        (usb("one"), usb("two"), scsi("root", 0)),
        {"root": "sda", "one": None, "two": None},
    ),
    "SATA ports have no order": ((sata("a"), sata("b")), {"a": None, "b": None}),
    "several SATA disks leave SCSI beside them no order": (
        (sata("a"), sata("b"), scsi("c", 0)),
        {"a": None, "b": None, "c": None},
    ),
    "a SATA disk goes by its controller's place": (
        (sata("a"), scsi("first", 0, host=1), scsi("last", 0, host=3)),
        {"first": "sda", "a": "sdb", "last": "sdc"},
    ),
    "virtio-scsi comes after all that need no virtio first": (
        (Slot("root", BlockKind.DISK, GuestBus.SCSI, 1, on_virtio=True), sata("a"), scsi("lsi", 0, host=3)),
        {"a": "sda", "lsi": "sdb", "root": "sdc"},
    ),
    "a single disk is certain": ((sata("a"), cdrom("b"), virtio("c", 1)), {"a": "sda", "b": "sr0", "c": "vda"}),
    "CD-ROMs on SATA have no order": ((cdrom("a"), cdrom("b")), {"a": None, "b": None}),
    "a CD-ROM on virtio-scsi comes after one on SATA": (
        (Slot("root", BlockKind.CDROM, GuestBus.SCSI, 1, on_virtio=True), cdrom("a"), scsi("disk", 0)),
        {"a": "sr0", "root": "sr1", "disk": "sda"},
    ),
    "a floppy has its drive's number": ((Slot("f", BlockKind.FLOPPY, GuestBus.FLOPPY, -1, lun=1),), {"f": "fd1"}),
}


@pytest.mark.parametrize(("slots", "names"), USUAL.values(), ids=USUAL.keys())
def test_usual_name(slots: tuple[Slot, ...], names: dict[str, str | None]) -> None:
    assert {disk: name.usual for disk, name in predict_names(slots).items()} == names


def test_any_of_several_sd_disks_may_have_any_sd_name() -> None:
    names = predict_names((scsi("a", 0), scsi("b", 1, created=1), virtio("v", 1)))
    assert names["a"].possible == names["b"].possible == ("sda", "sdb")
    assert names["v"].possible == ("vda",)


def test_names_go_on_after_z() -> None:
    names = predict_names([virtio(f"disk{number}", number) for number in range(28)])
    assert (names["disk25"].usual, names["disk26"].usual, names["disk27"].usual) == ("vdz", "vdaa", "vdab")
