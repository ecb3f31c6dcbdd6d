"""Compute the links below /dev/disk/by-path and by-id from plain facts, as udev of systemd 252 makes them.

Sources: rules.d/60-persistent-storage.rules; src/udev/udev-builtin-path_id.c (by-path); src/udev/ata_id/ata_id.c,
src/udev/scsi_id/, src/udev/udev-builtin-usb_id.c (by-id); udev_replace_whitespace and udev_replace_chars in
src/shared/udev-util.c. Devices that are not modelled (Fibre Channel, iSCSI, SAS expanders, NVMe, multipath, device
mapper) get no link rather than a guessed one, nor does a link that two devices would fight for.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.evidence.guest.vpd import AtaIdentity, ScsiId

MODELLED_UDEV = 252
_ALLOWED = frozenset(string.ascii_letters + string.digits + "#+-.:=@_")
_USB_STRING = re.compile(r"[\x20-\x2b\x2d-\x7f]*")
_SCSI_SUBCLASSES = frozenset({2, 6})


@dataclass(frozen=True)
class VirtioBlock:
    """A virtio-blk disk; the serial as sysfs shows it, at most 20 characters."""

    serial: str | None


@dataclass(frozen=True)
class ScsiPath:
    """H:C:T:L with the host counted from the controller's first."""

    host: int
    channel: int
    target: int
    lun: int

    def __str__(self) -> str:
        return f"{self.host}:{self.channel}:{self.target}:{self.lun}"


@dataclass(frozen=True)
class ScsiDisk:
    """A disk or CD-ROM on a SCSI controller; ``path`` is None on a transport that is not modelled."""

    path: ScsiPath | None
    identity: ScsiId | None


@dataclass(frozen=True)
class SasDisk:
    """A disk directly on a phy of a SAS controller."""

    phy: str
    lun: int
    identity: ScsiId | None


@dataclass(frozen=True)
class AtaDisk:
    """A disk or CD-ROM on an ATA port, ports counted from 1; ``identity`` is None if it could not be read."""

    port: int
    channel: int
    target: int
    identity: AtaIdentity | None


@dataclass(frozen=True)
class UsbDisk:
    """A SCSI device behind a USB interface; ``interface`` is its sysfs name without the bus number, as 2.1:1.0."""

    interface: str
    subclass: int
    path: ScsiPath
    scsi_vendor: str
    scsi_model: str
    vendor: str
    product: str
    serial: str | None


@dataclass(frozen=True)
class LinkSource:
    """A whole block device: the PCI function nearest to it, how it is attached to that, its partitions' numbers."""

    name: str
    pci: str | None
    attachment: VirtioBlock | ScsiDisk | SasDisk | AtaDisk | UsbDisk | None
    partitions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Links:
    """Names of links, without folder: the whole device's first, then its partitions'.

    ``contested`` are links, with their folder, that another device wants as well; neither device has them here.
    ``ids_are_known`` says that sysfs has the facts that by-id links are made of.
    """

    by_path: tuple[str, ...] = ()
    by_id: tuple[str, ...] = ()
    contested: tuple[str, ...] = field(default=(), compare=False)
    ids_are_known: bool = field(default=True, compare=False)


def computed_links(sources: Iterable[LinkSource]) -> dict[str, Links]:
    """Return the links by kernel name of the device."""
    every = {source.name: (source, _by_path(source), _by_id(source)) for source in sources}
    paths = Counter(link for _, links, _ in every.values() for link in set(links))
    ids = Counter(link for _, _, links in every.values() for link in set(links))
    return {
        name: Links(
            by_path=_with_partitions(source, [link for link in by_path if paths[link] == 1]),
            by_id=_with_partitions(source, [link for link in by_id if ids[link] == 1]),
            contested=(
                *(
                    f"by-path/{link}"
                    for link in _with_partitions(source, [each for each in by_path if paths[each] > 1])
                ),
                *(f"by-id/{link}" for link in _with_partitions(source, [each for each in by_id if ids[each] > 1])),
            ),
            ids_are_known=_ids_are_known(source),
        )
        for name, (source, by_path, by_id) in every.items()
    }


def _with_partitions(source: LinkSource, links: list[str]) -> tuple[str, ...]:
    whole = sorted(set(links))
    return (*whole, *(f"{link}-part{number}" for number in source.partitions for link in whole))


def _by_path(source: LinkSource) -> list[str]:
    if source.pci is None:
        return []
    pci = f"pci-{source.pci}"
    if isinstance(source.attachment, VirtioBlock):
        return [pci, f"virtio-{pci}"]
    return [f"{pci}-{place}" for place in _places(source.attachment)]


def _places(attachment: VirtioBlock | ScsiDisk | SasDisk | AtaDisk | UsbDisk | None) -> list[str]:
    """Return the place of a device behind its PCI function; for ATA also the form without the device on the port."""
    match attachment:
        case ScsiDisk(path=ScsiPath() as path):
            return [f"scsi-{path}"]
        case SasDisk(phy=phy, lun=lun):
            return [f"sas-phy{phy}-{_lun(lun)}"]
        case AtaDisk(port=port, channel=channel, target=target):
            return [f"ata-{port}.{f'{channel}.0' if channel else target}", f"ata-{port}"]
        case UsbDisk(interface=interface, path=path):
            return [f"usb-0:{interface}-scsi-{path}"]
        case _:
            return []


def _by_id(source: LinkSource) -> list[str]:
    match source.attachment:
        case VirtioBlock(serial=str(serial)):
            return [] if "/" in serial else [f"virtio-{_tidy(serial)}"]
        case ScsiDisk(identity=identity) | SasDisk(identity=identity) if identity is not None:
            return [f"scsi-{_tidy(identity.serial)}", *_wwn(identity.wwn)]
        case AtaDisk(identity=identity) if identity is not None:
            names = [_tidy(identity.model), *([_tidy(identity.serial)] if identity.serial else [])]
            return [f"ata-{'_'.join(names)}", *_wwn(identity.wwn)]
        case UsbDisk() as disk:
            return [f"usb-{_usb_serial(disk)}"]
        case _:
            return []


def _ids_are_known(source: LinkSource) -> bool:
    """Return whether sysfs has the identity: for a CD-ROM not on ATA, and on SCSI only with a page of it."""
    match source.attachment:
        case AtaDisk(identity=None) | ScsiDisk(identity=None) | SasDisk(identity=None):
            return False
        case _:
            return True


def _usb_serial(disk: UsbDisk) -> str:
    """Return ID_USB_SERIAL: vendor and model (of the SCSI device, if there is one), then serial and instance."""
    is_scsi = disk.subclass in _SCSI_SUBCLASSES
    vendor = (is_scsi and _tidy(disk.scsi_vendor)) or _tidy(disk.vendor)
    model = (is_scsi and _tidy(disk.scsi_model)) or _tidy(disk.product)
    serial = _tidy(disk.serial) if disk.serial and _USB_STRING.fullmatch(disk.serial) else ""
    instance = f"-{disk.path.target}:{disk.path.lun}" if is_scsi else ""
    return "_".join(filter(None, (vendor, model, serial))) + instance


def _wwn(name: str | None) -> list[str]:
    return [f"wwn-{name}"] if name else []


def _lun(lun: int) -> str:
    return f"lun-{lun}" if lun < 256 else f"lun-0x{lun & 0xFFFF:04x}{lun >> 16 & 0xFFFF:04x}00000000"


def _tidy(text: str) -> str:
    """Drop blanks at the ends; replace runs of blanks, and characters that a link may not have, with an underscore."""
    joined = "_".join(text.split())
    return "".join(each if each in _ALLOWED or ord(each) > 127 else "_" for each in joined)
