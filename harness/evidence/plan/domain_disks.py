"""Describe the disks of a defined domain as a guest sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from harness.domain.xml import DriveAddress, PciAddress, disk_target, disks_of, source_of
from harness.errors import HostError
from harness.evidence.address import Address, AtaUnit, FloppyUnit, GuestBus, ScsiUnit, Unit, UsbUnit
from harness.evidence.inventory import BlockDevice, BlockKind, Marker
from harness.evidence.kernel_names import MEGARAID_CHANNEL, Slot, predict_names
from harness.evidence.plan.domain_places import DefinedPlaces, usb_port
from harness.evidence.plan.domain_settings import OF_DISKS, settings

BUSES = {
    "virtio": GuestBus.VIRTIO,
    "scsi": GuestBus.SCSI,
    "ide": GuestBus.ATA,
    "sata": GuestBus.ATA,
    "usb": GuestBus.USB,
    "fdc": GuestBus.FLOPPY,
}
_DRIVERS = {"virtio": "virtio_blk", "ide": "ata_piix", "sata": "ahci", "usb": "usb-storage", "fdc": "floppy"}
_SCSI_DRIVERS = {
    "virtio-scsi": "virtio_scsi",
    "lsilogic": "sym53c8xx",
    "lsisas1068": "mptsas",
    "lsisas1078": "megaraid_sas",
    "vmpvscsi": "vmw_pvscsi",
}
_IDE_ON_PC = PciAddress(0, 1, 1)
_XHCI = ("qemu-xhci", "nec-xhci")
CDROM_SECTOR_BYTES = 2048
SECTOR_BYTES = 512


def block_kind(device: str, bus: str, *, usb_cdrom_is_disk: bool) -> BlockKind:
    """Return the kind of block device that a guest makes of a disk with libvirt's ``device`` on this bus.

    Raises:
        HostError: libvirt has no such device.
    """
    if device == "lun" or (device == "cdrom" and bus == "usb" and usb_cdrom_is_disk):
        return BlockKind.DISK
    try:
        return BlockKind(device)
    except ValueError as error:
        raise HostError(f"domain XML has a <disk> with device '{device}', which libvirt has not") from error


@dataclass(frozen=True)
class DefinedDisks:
    """The disks of a domain.

    ``marker`` returns the marker of the bytes behind a source. ``usb_cdrom_is_disk`` says whether libvirt makes a USB
    CD-ROM a disk.
    """

    places: DefinedPlaces
    marker: Callable[[str | None], Marker | None]
    usb_cdrom_is_disk: bool

    def devices(self) -> Iterator[BlockDevice]:
        """Return every disk, under the name of its target."""
        disks = [(disk, *disk_target(disk)) for disk in disks_of(self.places.root)]
        slots = [self._slot(disk, target, bus) for disk, target, bus in disks]
        names = predict_names(slots)
        for (disk, target, bus), slot in zip(disks, slots, strict=True):
            yield BlockDevice(
                name=target,
                kind=slot.kind,
                bus=slot.bus,
                address=Address(pci_path=self._path(disk, bus), unit=self._unit(disk, bus)),
                usb_port=usb_port(disk),
                size_bytes=None,
                sector_bytes=_sector_bytes(disk, slot.kind),
                serial=disk.findtext("serial"),
                wwn=_world_wide_name(disk),
                vendor=disk.findtext("vendor"),
                model=disk.findtext("product"),
                driver=_DRIVERS.get(bus) or _SCSI_DRIVERS.get(self._scsi_model(disk)),
                read_only=disk.find("readonly") is not None,
                removable=slot.kind is not BlockKind.DISK or _target_is_removable(disk),
                storage=_storage(disk),
                settings=settings(disk, OF_DISKS),
                marker=self.marker(source_of(disk)),
                predicted=names[target],
            )

    def _slot(self, disk: etree._Element, target: str, bus: str) -> Slot:
        drive = DriveAddress.of(disk) or DriveAddress(0, 0, 0, 0)
        function = self.places.function(disk)
        return Slot(
            disk=target,
            kind=block_kind(disk.get("device", "disk"), bus, usb_cdrom_is_disk=self.usb_cdrom_is_disk),
            bus=BUSES.get(bus, GuestBus.OTHER),
            host=-1 if function is None else function.position,
            drive=drive.unit,
        )

    def _controller(self, disk: etree._Element, bus: str) -> etree._Element | None:
        if bus == "usb":
            return self.places.usb_controller(disk)
        drive = DriveAddress.of(disk)
        return None if drive is None else self.places.controller(bus, drive.controller)

    def _scsi_model(self, disk: etree._Element) -> str:
        controller = self._controller(disk, "scsi")
        return "" if controller is None else controller.get("model", "")

    def _scsi_unit(self, disk: etree._Element, drive: DriveAddress) -> ScsiUnit:
        """Channel, target, LUN: on lsilogic libvirt's unit is the SCSI id (qemuBuildDiskDeviceProps)."""
        model = self._scsi_model(disk)
        if model == "lsilogic":
            return ScsiUnit(target=drive.unit)
        channel = MEGARAID_CHANNEL if model == "lsisas1078" else drive.bus
        return ScsiUnit(channel=channel, target=drive.target, lun=drive.unit)

    def _path(self, disk: etree._Element, bus: str) -> tuple[str, ...]:
        if bus == "virtio":
            function = self.places.function(disk)
        else:
            controller = self._controller(disk, bus)
            function = self.places.function(controller)
            if function is None and bus == "ide" and controller is not None:
                return (str(_IDE_ON_PC),)
        return () if function is None else function.path

    def _unit(self, disk: etree._Element, bus: str) -> Unit | None:
        drive = DriveAddress.of(disk) or DriveAddress(0, 0, 0, 0)
        match bus:
            case "scsi":
                return self._scsi_unit(disk, drive)
            case "ide":
                return AtaUnit(port=drive.bus + 1, device=drive.unit)
            case "sata":
                return AtaUnit(port=drive.unit + 1)
            case "fdc":
                return FloppyUnit(drive=drive.unit)
            case "usb":
                return self._usb_unit(disk)
        return None

    def _usb_unit(self, disk: etree._Element) -> UsbUnit | None:
        address = disk.find("address[@type='usb']")
        if address is None:
            return None
        controller = self.places.usb_controller(disk)
        port = address.get("port", "")
        has_superspeed = controller is not None and controller.get("model") in _XHCI
        behind_hub = "." in port  # QEMU's hub is a full-speed one (hw/usb/dev-hub.c)
        return UsbUnit(ports=port, superspeed=has_superspeed and not behind_hub)


def _storage(disk: etree._Element) -> str:
    driver = disk.find("driver")
    words = ["raw" if driver is None else driver.get("type", "raw")]
    words += [f"encrypted {encryption.get('format')}" for encryption in disk.iterfind(".//encryption")]
    words += ["with its own SCSI commands"] * (disk.get("device") == "lun")
    words += ["transient"] * (disk.find("transient") is not None)
    words += [f"from {host.get('name')}:{host.get('port')}" for host in disk.iterfind("source/host")]
    return " ".join(words)


def _sector_bytes(disk: etree._Element, kind: BlockKind) -> int:
    block_io = disk.find("blockio")
    default = CDROM_SECTOR_BYTES if kind is BlockKind.CDROM else SECTOR_BYTES
    return default if block_io is None else int(block_io.get("logical_block_size", default))


def _world_wide_name(disk: etree._Element) -> str | None:
    name = disk.findtext("wwn")
    return None if name is None else f"0x{name.removeprefix('0x')}"


def _target_is_removable(disk: etree._Element) -> bool:
    target = disk.find("target")
    return target is not None and target.get("removable") == "on"
