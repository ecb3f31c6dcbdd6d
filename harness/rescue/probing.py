"""Disks that Linux finds after the rescue disk although they were there before it, and which would lose their names.

All disks but virtio's are called sd by arrival, and some places always come before others.
"""

from __future__ import annotations

from lxml import etree

from harness.domain.free_addresses import VIRTIO_SCSI, position
from harness.domain.pci_places import Place
from harness.domain.xml import DriveAddress, controller_index, controllers, disk_target, disks_of
from harness.rescue.request import RescueRequest
from harness.scenario.words import DeviceType, DiskBus

_ATA = (DiskBus.SATA, DiskBus.IDE)


def found_later(
    root: etree._Element, request: RescueRequest, place: Place, *, usb_cdrom_is_disk: bool
) -> DiskBus | None:
    """The bus of disks that a rescue disk at ``place`` comes before; None if all keep their names.

    USB: usb-storage waits a second before it shows a disk (drivers/usb/storage/usb.c, delay_use). SCSI: an AHCI or IDE
    controller is probed in its PCI place, virtio-scsi only once virtio_pci has made a device of it.
    """
    if request.device is not DeviceType.DISK or request.bus not in (DiskBus.SCSI, *_ATA):
        return None
    if any(_is_disk(disk, "usb", cdrom_counts=usb_cdrom_is_disk) for disk in disks_of(root)):
        return DiskBus.USB
    if request.bus in _ATA and _scsi_disks_after(root, _position(root, request.bus, place)):
        return DiskBus.SCSI
    return None


def _is_disk(disk: etree._Element, bus: str, *, cdrom_counts: bool = False) -> bool:
    kind = disk.get("device", "disk")
    return disk_target(disk)[1] == bus and (kind in ("disk", "lun") or (cdrom_counts and kind == "cdrom"))


def _position(root: etree._Element, bus: DiskBus, place: Place) -> float:
    """Where Linux finds the controller of a place: a new one last, IDE's, which is part of the chipset, first."""
    if place.controllers:
        return float("inf")
    index = etree.fromstring(place.address).get("controller", "0")
    return _controller_position(root, str(bus), int(index))


def _controller_position(root: etree._Element, kind: str, index: int) -> float:
    found = (each for each in controllers(root, kind) if controller_index(each) == index)
    return next((position(root, controller) for controller in found), -1)


def _scsi_disks_after(root: etree._Element, before: float) -> bool:
    models = {controller_index(controller): controller.get("model") for controller in controllers(root, "scsi")}
    used = {
        address.controller
        for disk in disks_of(root)
        if _is_disk(disk, "scsi") and (address := DriveAddress.of(disk)) is not None
    }
    return any(models.get(index) in VIRTIO_SCSI or _controller_position(root, "scsi", index) > before for index in used)
