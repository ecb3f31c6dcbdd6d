"""A rescue device that shares its kind of kernel name with the instance's disks leaves those names to chance."""

from __future__ import annotations

from typing import Any

import pytest

from harness.domain.disk_mapping import map_disks
from harness.errors import Refused
from harness.implementation.certain_names import require_certain_names
from harness.implementation.request import RescueRequest
from harness.scenario.words import DeviceType, DiskBus

from ..domain.test_disk_mapping import instance

DISK, CDROM, FLOPPY = DeviceType.DISK, DeviceType.CDROM, DeviceType.FLOPPY
ISO = {"role": "root", "device": "cdrom", "bus": "sata"}


def volume(bus: str, device: str = "disk") -> dict[str, str]:
    return {"role": "volume", "bus": bus, "device": device}


def require(disks: tuple[Any, ...], bus: DiskBus, device: DeviceType, *, usb_cdrom_is_disk: bool = True) -> None:
    mapping = map_disks(instance(*disks, machine="q35"))
    require_certain_names(mapping.disks, RescueRequest(bus, device), usb_cdrom_is_disk=usb_cdrom_is_disk)


REFUSED: dict[str, tuple[tuple[Any, ...], DiskBus, DeviceType, str]] = {
    "SATA beside SATA": (("root", volume("sata")), DiskBus.SATA, DISK, "volume1 uncertain, sda -> sda or sdb"),
    "SCSI beside SCSI": (("root", volume("scsi")), DiskBus.SCSI, DISK, "volume1 uncertain, sda -> sda or sdb"),
    "SCSI beside SATA": (("root", volume("sata")), DiskBus.SCSI, DISK, "volume1 uncertain, sda -> sda or sdb"),
    "USB beside USB": (("root", volume("usb")), DiskBus.USB, DISK, "volume1 uncertain, sda -> sda or sdb"),
    "SATA beside USB": (("root", volume("usb")), DiskBus.SATA, DISK, "volume1 uncertain, sda -> sdb"),
    "two and one more": (
        ("root", volume("scsi"), volume("scsi")),
        DiskBus.SCSI,
        DISK,
        "volume1 uncertain, sda or sdb -> sda..sdc",
    ),
    "a CD-ROM beside a config drive": (
        ("root", "config_drive"),
        DiskBus.SATA,
        CDROM,
        "config_drive uncertain, sr0 -> sr0 or sr1: rescue from a disk on virtio",
    ),
    "a CD-ROM beside a root CD-ROM": ((ISO,), DiskBus.SCSI, CDROM, "root uncertain, sr0 -> sr0 or sr1"),
    "a USB CD-ROM that is a disk": (("root", volume("usb")), DiskBus.USB, CDROM, "volume1 uncertain"),
}


@pytest.mark.parametrize(("disks", "bus", "device", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_rescue_that_makes_a_name_uncertain_is_refused(
    disks: tuple[Any, ...], bus: DiskBus, device: DeviceType, told: str
) -> None:
    with pytest.raises(Refused, match=told) as refused:
        require(disks, bus, device)
    assert refused.value.refused_by == "Linux"
    assert "rescue from a disk on virtio" in refused.value.reason


CARRIED_OUT: dict[str, tuple[tuple[Any, ...], DiskBus, DeviceType]] = {
    "virtio beside virtio": (("root", "volume"), DiskBus.VIRTIO, DISK),
    "virtio beside SCSI": (("root", volume("scsi")), DiskBus.VIRTIO, DISK),
    "the only sd disk": (("root", "volume", "config_drive"), DiskBus.SATA, DISK),
    "the only CD-ROM": (("root", volume("scsi")), DiskBus.SATA, CDROM),
    "USB usually comes last": (("root", volume("scsi"), volume("sata")), DiskBus.USB, DISK),
    "a floppy has its drive's name": (("root", volume("fdc", "floppy")), DiskBus.FDC, FLOPPY),
}


@pytest.mark.parametrize(("disks", "bus", "device"), CARRIED_OUT.values(), ids=CARRIED_OUT.keys())
def test_a_rescue_that_leaves_all_names_usual_is_carried_out(
    disks: tuple[Any, ...], bus: DiskBus, device: DeviceType
) -> None:
    require(disks, bus, device)


def test_a_usb_cdrom_of_a_newer_libvirt_is_no_disk() -> None:
    require(("root", volume("usb")), DiskBus.USB, CDROM, usb_cdrom_is_disk=False)


def test_the_message_names_a_cdrom_where_the_instance_has_none() -> None:
    with pytest.raises(Refused, match=r"rescue from a disk on virtio or a cdrom$"):
        require(("root", volume("scsi")), DiskBus.SCSI, DISK)
    with pytest.raises(Refused, match=r"rescue from a disk on virtio$"):
        require(("root", volume("scsi"), "config_drive"), DiskBus.SCSI, DISK)
