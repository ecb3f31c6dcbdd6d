"""Describe the place of a device in words that fit a sentence and are stable enough to be matched on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.scenario.words import DiskBus

if TYPE_CHECKING:
    from harness.evidence.inventory import BlockDevice


class Place(NamedTuple):
    """A place on the PCI tree (the function, and the path of bridges down to it) and on the bus behind that."""

    pci: str
    pci_path: str
    label: str
    unit: str

    def __str__(self) -> str:
        words = (f"PCI {self.pci}" if self.pci else "", self.label, self.unit)
        return " ".join(word for word in words if word)

    @property
    def value(self) -> str:
        """Return the place without labels, as a finding's ``before`` or ``after``."""
        return " ".join(part for part in (self.pci, self.unit) if part)


def place_of(address: str) -> Place:
    """Take an inventory's address apart: ``pci <functions from the root bus down> <bus> <unit>``."""
    path, behind = "", address
    if address.startswith("pci "):
        path, _, behind = address.removeprefix("pci ").partition(" ")
    bus, _, unit = behind.partition(" ")
    label = _LABELS.get(bus)
    return Place(path.rpartition("/")[2], path, label or "", behind if label is None else unit)


def usb_port(port: str) -> str:
    """Return the port chain without the bus number in front of it, which depends on the order of arrival."""
    return port.rpartition("-")[2]


class Move(NamedTuple):
    """The old place, the new place, and both in one phrase."""

    before: str
    after: str
    phrase: str


def move(before: str, after: str) -> Move | None:
    """Return the difference between two addresses and nothing else; None if they are the same."""
    if before == after:
        return None
    old, new = place_of(before), place_of(after)
    same_pci, same_unit = old.pci == new.pci, old.unit == new.unit
    if old.label != new.label or not (same_pci or same_unit) or not (old.pci and new.pci):
        return Move(old.value, new.value, f"{old} -> {new}")
    if not same_pci:
        return Move(old.pci, new.pci, f"PCI {old.pci} -> {new.pci}")
    if not same_unit:
        return Move(old.unit, new.unit, f"{old.label} {old.unit} -> {new.unit} on PCI {old.pci}".lstrip())
    return Move(old.pci_path, new.pci_path, f"PCI path {old.pci_path} -> {new.pci_path}")


def buses_of(device: BlockDevice, drivers: dict[str, str | None]) -> frozenset[DiskBus]:
    """Return the libvirt buses that the device can be on; ``drivers`` are those of the PCI functions by address.

    Linux treats IDE and SATA both as ATA; the host controller's driver tells them apart (drivers/ata/ata_piix.c,
    drivers/ata/ahci.c).
    """
    if device.bus != "ata":
        bus = _BUSES.get(device.bus)
        return frozenset() if bus is None else frozenset({bus})
    for driver in (device.driver, drivers.get(device.pci_path[-1]) if device.pci_path else None):
        if driver in _ATA_DRIVERS:
            return frozenset({_ATA_DRIVERS[driver]})
    return frozenset({DiskBus.IDE, DiskBus.SATA})


_LABELS = {"scsi": "SCSI", "usb": "USB port", "ata": "ATA", "floppy": "floppy"}
_BUSES = {"virtio": DiskBus.VIRTIO, "scsi": DiskBus.SCSI, "usb": DiskBus.USB, "floppy": DiskBus.FDC}
_ATA_DRIVERS: dict[str | None, DiskBus] = {
    "ata_piix": DiskBus.IDE,
    "pata_acpi": DiskBus.IDE,
    "ata_generic": DiskBus.IDE,
    "ahci": DiskBus.SATA,
}
