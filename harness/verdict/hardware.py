"""Check the claim ``other-hardware``: devices that are no disk stay; those that the rescue brings are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import State
from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding
from harness.verdict.network import network_interfaces, new_network_interfaces, pair_network_interfaces
from harness.verdict.pci import PciChanges, describe, identifiers, pci_changes
from harness.verdict.place import move
from harness.verdict.platform import platform_traits
from harness.verdict.settings import changed
from harness.verdict.traits import hardware_traits
from harness.verdict.usb import UsbChanges, usb_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.evidence.inventory import BlockDevice, NetworkInterface, UsbDevice
    from harness.verdict.comparison import Comparison


def other_hardware(comparison: Comparison) -> Iterator[Finding]:
    """Compare NICs, the rest of the PCI tree, USB devices, DMI and CPU; for a domain, everything but disks."""
    pci, usb = _changes(comparison)
    yield from _network(comparison)
    yield from _pci(pci)
    yield from _usb(usb)
    for trait in platform_traits(comparison):
        if trait.before is not None and trait.after is not None:
            yield from _trait(trait.device, trait.name, trait.before, trait.after)
    yield from _all_settings(comparison, pci, usb)
    yield from hardware_traits(comparison, pci.same)


def hardware_settings(comparison: Comparison) -> Iterator[Finding]:
    """Compare the settings of the domain and of each device that is no disk: the part that definitions show."""
    yield from _all_settings(comparison, *_changes(comparison))


def _changes(comparison: Comparison) -> tuple[PciChanges, UsbChanges]:
    normal, other, entitled = comparison.normal, comparison.other, _entitled(comparison)
    return pci_changes(normal, other, entitled), usb_changes(normal, other, entitled)


def _all_settings(comparison: Comparison, pci: PciChanges, usb: UsbChanges) -> Iterator[Finding]:
    yield from _settings("domain", "", comparison.normal.platform, comparison.other.platform)
    found = pair_network_interfaces(comparison.normal, comparison.other)
    for label, nic in network_interfaces(comparison.normal).items():
        successor = found[label]
        if successor is not None:
            yield from _settings(label, "", nic.settings, successor.settings)
    for function, now in pci.same:
        yield from _settings(function.address, describe(function), function.settings, now.settings)
    for before, after in usb.same:
        yield from _settings(f"usb {before.vendor_product}", before.product, before.settings, after.settings)


def additions(comparison: Comparison) -> Iterator[str]:
    """Return the rescue device, and each bridge, controller and hub that came with it."""
    rescue = comparison.rescue
    if rescue is None:
        return
    yield f"rescue device {rescue.name}: {rescue.bus} {rescue.kind} at {rescue.address}"
    for function in pci_changes(comparison.normal, comparison.other, rescue).brought:
        yield f"{describe(function)} at PCI {function.address}"
    for device in usb_changes(comparison.normal, comparison.other, rescue).brought:
        yield f"{device.product or 'USB hub'} at PCI {device.controller} USB port {device.port}"


def _entitled(comparison: Comparison) -> BlockDevice | None:
    """Return the rescue device if it may bring controllers along; after the unrescue nothing may be left of it."""
    return comparison.rescue if comparison.state is State.RESCUED else None


def _finding(device: str, before: str, after: str, message: str, aspect: ClaimName | None = None) -> Finding:
    return Finding(
        claim=ClaimName.OTHER_HARDWARE, aspect=aspect, device=device, before=before, after=after, message=message
    )


def _trait(device: str, trait: str, before: str | None, after: str | None) -> Iterator[Finding]:
    if before != after:
        old, new = before or "none", after or "none"
        yield _finding(device, f"{trait} {old}", f"{trait} {new}", f"{trait} {old} -> {new}")


def _settings(device: str, what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Finding]:
    for name, old, new in changed(before, after):
        yield _finding(device, f"{name} {old}", f"{name} {new}", f"{what} {name} {old} -> {new}".lstrip())


def _network(comparison: Comparison) -> Iterator[Finding]:
    known = network_interfaces(comparison.normal)
    found = pair_network_interfaces(comparison.normal, comparison.other)
    for label, before in known.items():
        after = found[label]
        if after is None:
            yield _finding(label, "present", "missing", f"missing, was {before.name} at {before.address}")
        else:
            yield from _network_interface(label, before, after)
    macs = {nic.mac for nic in found.values() if nic is not None}
    for nic in new_network_interfaces(comparison.normal, comparison.other):
        what = "a second network interface with the MAC" if nic.mac in macs else "new network interface"
        yield _finding(nic.name, "missing", "present", f"{what} {nic.mac} at {nic.address}")


def _network_interface(label: str, before: NetworkInterface, after: NetworkInterface) -> Iterator[Finding]:
    if before.name != after.name:
        yield _finding(label, before.name, after.name, f"{before.name} -> {after.name}", ClaimName.NAMES)
    yield from _trait(label, "predictable name", before.predictable_name, after.predictable_name)
    yield from _trait(label, "MAC", before.mac, after.mac)
    moved = move(before.address, after.address)
    if moved is not None:
        yield _finding(label, moved.before, moved.after, moved.phrase, ClaimName.ADDRESSES)
    yield from _trait(label, "driver", before.driver, after.driver)


def _pci(changes: PciChanges) -> Iterator[Finding]:
    for before, after in changes.moved:
        old, new = before.address, after.address
        if old == new:
            old, new = "/".join(before.path), "/".join(after.path)
        yield _finding(before.address, old, new, f"{describe(before)} PCI {old} -> {new}")
    for before, after in changes.changed:
        old, new = identifiers(before), identifiers(after)
        yield _finding(before.address, old, new, f"{describe(before)} is now {describe(after)} ({old} -> {new})")
    for function in changes.missing:
        yield _finding(function.address, "present", "missing", f"{describe(function)} is missing")
    for function in changes.new:
        yield _finding(
            function.address, "missing", "present", f"{describe(function)} is new and not on the rescue device's path"
        )


def _usb(changes: UsbChanges) -> Iterator[Finding]:
    for before, after in changes.moved:
        old, new = f"port {before.port}", f"port {after.port}"
        if before.controller != after.controller:
            old, new = f"{before.controller} {old}", f"{after.controller} {new}"
        yield _finding(_usb_name(before), old, new, f"{before.product} {old} -> {new}")
    for device in changes.missing:
        yield _finding(_usb_name(device), "present", "missing", f"{device.product} is missing")
    for device in changes.new:
        where = f"PCI {device.controller} USB port {device.port}"
        yield _finding(_usb_name(device), "missing", "present", f"{device.product} is new, at {where}")


def _usb_name(device: UsbDevice) -> str:
    """Return the device's name; a device of level plan has no ids."""
    return f"usb {device.vendor_product}".rstrip()
