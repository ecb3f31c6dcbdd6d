"""Find the disks that would lose their names because Linux finds them after the rescue disk.

Linux names disks (sd) and CD-ROMs (sr) in the order in which it finds them, except for disks on virtio. Linux always
finds some places before others.
"""

from __future__ import annotations

from lxml import etree

from harness.domain.addresses.free_addresses import VIRTIO_SCSI, position
from harness.domain.addresses.pci_places import Place
from harness.domain.xml import DriveAddress, controller_index, controllers, disk_target, disks_of
from harness.implementation.request import RescueRequest
from harness.scenario.words import DiskBus

_ATA = (DiskBus.SATA, DiskBus.IDE)


def found_later(
    root: etree._Element, request: RescueRequest, place: Place, *, usb_cdrom_is_disk: bool
) -> DiskBus | None:
    """Return the bus of the disks, or CD-ROMs, that Linux finds after a rescue device at ``place``.

    Return None if all disks keep their names. USB: usb-storage waits a second before it shows a disk
    (drivers/usb/storage/usb.c, delay_use). SCSI: Linux probes an AHCI or IDE controller in its PCI place, but
    virtio-scsi only after virtio_pci has made a virtio device.
    """
    if request.bus not in (DiskBus.SCSI, *_ATA):
        return None
    named_alike = [
        disk for disk in disks_of(root) if _kind(disk, usb_cdrom_is_disk=usb_cdrom_is_disk) == request.device
    ]
    if any(disk_target(disk)[1] == DiskBus.USB for disk in named_alike):
        return DiskBus.USB
    on_scsi = [disk for disk in named_alike if disk_target(disk)[1] == DiskBus.SCSI]
    if request.bus in _ATA and _are_after(root, on_scsi, _position(root, request.bus, place)):
        return DiskBus.SCSI
    return None


def _kind(disk: etree._Element, *, usb_cdrom_is_disk: bool) -> str:
    kind = disk.get("device", "disk")
    on_usb = disk_target(disk)[1] == DiskBus.USB
    return "disk" if kind == "lun" or (kind == "cdrom" and on_usb and usb_cdrom_is_disk) else kind


def _position(root: etree._Element, bus: DiskBus, place: Place) -> float:
    """Return the position at which Linux finds a place's controller: a new one last, the chipset's IDE first."""
    if place.controllers:
        return float("inf")
    index = etree.fromstring(place.address).get("controller", "0")
    return _controller_position(root, str(bus), int(index))


def _controller_position(root: etree._Element, kind: str, index: int) -> float:
    found = (each for each in controllers(root, kind) if controller_index(each) == index)
    return next((position(root, controller) for controller in found), -1)


def _are_after(root: etree._Element, on_scsi: list[etree._Element], before: float) -> bool:
    models = {controller_index(controller): controller.get("model") for controller in controllers(root, "scsi")}
    used = {address.controller for disk in on_scsi if (address := DriveAddress.of(disk)) is not None}
    return any(models.get(index) in VIRTIO_SCSI or _controller_position(root, "scsi", index) > before for index in used)
