"""Read a block device's attachment from its path in sysfs: the bus, the address on it, the facts for its links."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.evidence.address import Address, AtaUnit, FloppyUnit, GuestBus, ScsiUnit, UsbUnit
from harness.evidence.guest.links import AtaDisk, SasDisk, ScsiDisk, ScsiPath, UsbDisk, VirtioBlock
from harness.evidence.guest.sysfs_path import address_of, usb_interface, usb_port, usb_root_hub
from harness.evidence.guest.vpd import AtaIdentity, ata_identity, scsi_id, unit_serial, world_wide_name

if TYPE_CHECKING:
    from harness.evidence.guest.capture import Capture

SCSI_TYPE_CDROM = 5
_FLOPPY_DRIVE = re.compile(r"fd(\d+)")
_HCTL = re.compile(r"/((\d+):(\d+):(\d+):(\d+))/block/")
_HOST = re.compile(r"^(.*)/host(\d+)/")
_ATA_PORT = re.compile(r"/(ata\d+)/")
_SAS_END_DEVICE = re.compile(r"/(port-[\d:]+)/(end_device-[\d:]+)/")
_UNMODELLED_TRANSPORTS = ("/rport-", "/session", "/expander-", "/end_device-")


@dataclass(frozen=True)
class Attached:
    """A block device's bus, canonical address and identity; its links are computed from ``source``.

    ``driver`` is the transport's (virtio_blk, virtio_scsi, ahci, usb-storage), not sd or sr, because it tells more.
    ``unknown`` names the facts that this kernel does not tell; they may be anything.
    """

    bus: GuestBus
    address: Address
    source: VirtioBlock | ScsiDisk | SasDisk | AtaDisk | UsbDisk | None
    hctl: str | None = None
    usb_port: str | None = None
    serial: str | None = None
    wwn: str | None = None
    vendor: str | None = None
    model: str | None = None
    driver: str | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scsi:
    hctl: str
    parent: str
    path: ScsiPath
    hosts: int
    driver: str | None


def attached(capture: Capture, block: str, device_path: str) -> Attached:
    """Return the attachment of ``block``, a folder in /sys/block whose real path is ``device_path``."""
    driver = capture.properties(f"{block}/device/uevent").get("DRIVER")
    name = posixpath.basename(block)
    if "/virtio" in device_path and "/host" not in device_path:
        serial = capture.text(f"{block}/serial")
        return Attached(GuestBus.VIRTIO, address_of(device_path), VirtioBlock(serial), serial=serial, driver=driver)
    if drive := _FLOPPY_DRIVE.fullmatch(name):
        return Attached(GuestBus.FLOPPY, Address(unit=FloppyUnit(drive=int(drive[1]))), None, driver=driver)
    scsi = _scsi(capture, device_path)
    if scsi is None:
        model = capture.text(f"{block}/device/model")
        return Attached(GuestBus.OTHER, address_of(device_path), None, model=model, driver=driver)
    if interface := usb_interface(device_path):
        return _usb(capture, block, device_path, scsi, interface)
    if port := _ATA_PORT.search(device_path):
        return _ata(capture, block, device_path, scsi, port[1])
    return _parallel_or_serial_scsi(capture, block, device_path, scsi)


def _scsi(capture: Capture, device_path: str) -> _Scsi | None:
    hctl, host = _HCTL.search(device_path), _HOST.match(device_path)
    if hctl is None or host is None:
        return None
    parent = host[1]
    siblings = [
        int(found[2])
        for target in capture.children("/sys/class/scsi_host").values()
        if (found := _HOST.match(target)) and found[1] == parent
    ]
    number, channel, target, lun = (int(part) for part in hctl.groups()[1:])
    first = min(siblings, default=number)
    driver = capture.text(f"/sys/class/scsi_host/host{number}/proc_name")
    return _Scsi(hctl[1], parent, ScsiPath(number - first, channel, target, lun), len(siblings), driver)


def _scsi_unit(scsi: _Scsi, *, host: int | None = None) -> ScsiUnit:
    return ScsiUnit(host=host, channel=scsi.path.channel, target=scsi.path.target, lun=scsi.path.lun)


def _usb(capture: Capture, block: str, device_path: str, scsi: _Scsi, interface: tuple[str, str]) -> Attached:
    path, name = interface
    device = f"/sys/bus/usb/devices/{usb_port(device_path)}"
    properties = capture.properties(f"{device}/uevent")
    vendor_id, product_id = [*(f"{int(part, 16):04x}" for part in properties.get("PRODUCT", "0/0").split("/")[:2])]
    vendor, model = _inquiry(capture, block)
    serial = capture.text(f"{device}/serial")
    subclass = capture.text(f"/sys/bus/usb/devices/{posixpath.basename(path)}/bInterfaceSubClass") or "0"
    source = UsbDisk(
        interface=name,
        subclass=int(subclass, 16),
        path=scsi.path,
        scsi_vendor=vendor,
        scsi_model=model,
        vendor=capture.text(f"{device}/manufacturer") or vendor_id,
        product=capture.text(f"{device}/product") or product_id,
        serial=serial,
    )
    return Attached(
        GuestBus.USB,
        address_of(device_path, usb_unit(capture, device_path, _scsi_unit(scsi))),
        source,
        hctl=scsi.hctl,
        usb_port=usb_port(device_path),
        serial=serial,
        vendor=vendor.strip() or None,
        model=model.strip() or None,
        driver=scsi.driver,
    )


def usb_unit(capture: Capture, device_path: str, scsi: ScsiUnit | None = None) -> UsbUnit:
    """The USB device that a path in sysfs leads through, and the SCSI unit behind the device if there is one."""
    ports = (usb_port(device_path) or "").partition("-")[2]
    speed = capture.number(f"/sys/bus/usb/devices/{usb_root_hub(device_path)}/speed") or 0
    return UsbUnit.at(ports, speed, scsi)


def _ata(capture: Capture, block: str, device_path: str, scsi: _Scsi, port: str) -> Attached:
    number = capture.number(f"/sys/class/ata_port/{port}/port_no")
    vendor, model = _inquiry(capture, block)
    identity = _ata_identity(capture, block)
    is_cdrom = capture.text(f"{block}/device/type") == str(SCSI_TYPE_CDROM)
    channel, target = scsi.path.channel, scsi.path.target
    source = None if number is None else AtaDisk(number, channel, target, identity)
    unit = AtaUnit(port=number, link=channel, device=0 if channel else target)
    return Attached(
        GuestBus.ATA,
        address_of(device_path, unit),
        source,
        hctl=scsi.hctl,
        serial=identity.serial if identity else None,
        wwn=identity.wwn if identity else None,
        vendor=vendor.strip() or None,
        model=(identity.model if identity else model.strip()) or None,
        driver=scsi.driver,
        unknown=() if identity else ("serial", "wwn", *(() if is_cdrom else ("model",))),
    )


def _ata_identity(capture: Capture, block: str) -> AtaIdentity | None:
    """Read the identity from libata's page 89h, which Linux has in sysfs since 5.5, and never for CD-ROMs."""
    return ata_identity(capture.blobs.get(f"{block}/device/vpd_pg89", b""))


def _parallel_or_serial_scsi(capture: Capture, block: str, device_path: str, scsi: _Scsi) -> Attached:
    vendor, model = _inquiry(capture, block)
    page_80 = capture.blobs.get(f"{block}/device/vpd_pg80", b"")
    page_83 = capture.blobs.get(f"{block}/device/vpd_pg83", b"")
    identity = scsi_id(vendor, model, page_80, page_83)
    source: ScsiDisk | SasDisk | None = ScsiDisk(scsi.path, identity)
    if any(part in device_path for part in _UNMODELLED_TRANSPORTS):
        phy = _sas_phy(capture, device_path)
        source = ScsiDisk(None, identity) if phy is None else SasDisk(phy, scsi.path.lun, identity)
    return Attached(
        GuestBus.SCSI,
        address_of(device_path, _scsi_unit(scsi, host=scsi.path.host if scsi.hosts > 1 else None)),
        source,
        hctl=scsi.hctl,
        serial=unit_serial(page_80),
        wwn=world_wide_name(page_83),
        vendor=vendor.strip() or None,
        model=model.strip() or None,
        driver=scsi.driver,
    )


def _sas_phy(capture: Capture, device_path: str) -> str | None:
    """Return the controller's phy that a SAS disk is on; None behind an expander or on a port of several phys."""
    match = _SAS_END_DEVICE.search(device_path)
    if match is None or "/expander-" in device_path:
        return None
    if capture.text(f"/sys/class/sas_port/{match[1]}/num_phys") != "1":
        return None
    return capture.text(f"/sys/class/sas_device/{match[2]}/phy_identifier")


def _inquiry(capture: Capture, block: str) -> tuple[str, str]:
    """Return vendor and model as INQUIRY gave them, padded with blanks."""
    vendor, model = (capture.lines.get(f"{block}/device/{name}", ("",))[0] for name in ("vendor", "model"))
    return vendor, model
