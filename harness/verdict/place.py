"""Describe how one place differs from another, in words stable enough to be matched on, and name a device's buses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.evidence.address import GuestBus
from harness.scenario.words import DiskBus

if TYPE_CHECKING:
    from harness.evidence.address import Address
    from harness.evidence.inventory import BlockDevice


class Move(NamedTuple):
    """The old place, the new place, and both in one phrase."""

    before: str
    after: str
    phrase: str


def move(before: Address, after: Address) -> Move | None:
    """Name what differs between two addresses and nothing else; None if they are the same."""
    if before == after:
        return None
    same_function, same_unit = before.function == after.function, before.unit == after.unit
    if before.bus is not after.bus or not (same_function or same_unit) or not (before.function and after.function):
        return Move(before.short, after.short, f"{before} -> {after}")
    if not same_function:
        return Move(before.function, after.function, f"PCI {before.function} -> {after.function}")
    if not same_unit:
        old, new = before.unit_text, after.unit_text
        return Move(old, new, f"{before.label} {old} -> {new} on PCI {before.function}")
    return Move(before.path_text, after.path_text, f"PCI path {before.path_text} -> {after.path_text}")


def buses_of(device: BlockDevice, drivers: dict[str, str | None]) -> frozenset[DiskBus]:
    """Return the libvirt buses that the device can be on; ``drivers`` are those of the PCI functions by address.

    Linux treats IDE and SATA both as ATA; the host controller's driver tells them apart (drivers/ata/ata_piix.c,
    drivers/ata/ahci.c).
    """
    if device.bus is not GuestBus.ATA:
        bus = _BUSES.get(device.bus)
        return frozenset() if bus is None else frozenset({bus})
    function = device.address.function
    for driver in (device.driver, None if function is None else drivers.get(function)):
        if driver in _ATA_DRIVERS:
            return frozenset({_ATA_DRIVERS[driver]})
    return frozenset({DiskBus.IDE, DiskBus.SATA})


_BUSES = {
    GuestBus.VIRTIO: DiskBus.VIRTIO,
    GuestBus.SCSI: DiskBus.SCSI,
    GuestBus.USB: DiskBus.USB,
    GuestBus.FLOPPY: DiskBus.FDC,
}
_ATA_DRIVERS: dict[str | None, DiskBus] = {
    "ata_piix": DiskBus.IDE,
    "pata_acpi": DiskBus.IDE,
    "ata_generic": DiskBus.IDE,
    "ahci": DiskBus.SATA,
}
