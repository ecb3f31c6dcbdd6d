"""Tell the doing of the rescue system's own kernel and user space from that of the rescue.

A rescue image has its own kernel, drivers and rules for names. What they change, with the device in its place, is no
broken promise. The evidence is the guest's own buses, which list devices without a driver, and the domain, by which
QEMU has the device at its place in both states.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.evidence.inventory import State
from harness.scenario.words import ClaimName
from harness.verdict.comparison import Comparison, compare
from harness.verdict.network import network_interfaces, new_network_interfaces, pair_network_interfaces
from harness.verdict.pci import signature
from harness.verdict.usb import same_place, usb_changes

if TYPE_CHECKING:
    from harness.evidence.address import Address
    from harness.evidence.inventory import Inventory, NetworkInterface, UsbDevice
    from harness.verdict.expected import Expected
    from harness.verdict.finding import Finding

_ONBOARD = "onboard index"
_NAME_RULES = {"eth": "the kernel", "eno": _ONBOARD, "ens": "hot-plug slot", "enp": "PCI path", "enx": "MAC"}
"""The rules of udev's net_id, and the kernel's own, by the beginning of a name without the PCI domain."""
_NAME = re.compile(r"(eth|en)(?:P\d+)?([ospx]?)")
_PRESENT, _MISSING = "present", "missing"
_DRIVER = "driver "
_TPM = "tpm"
_PREDICTABLE = "predictable name "


def attribute_to_software(
    findings: Sequence[Finding],
    normal: Inventory,
    rescued: Inventory,
    expected: Expected,
    definitions: Mapping[State, Inventory],
) -> tuple[Finding, ...]:
    """Return the findings, with the cause ``guest-kernel`` for those that the rescue system's software explains.

    ``definitions`` are the domains of both states. Only the rescued state is judged so: the instance boots its own
    system before and after.
    """
    if not {State.NORMAL, State.RESCUED} <= definitions.keys():
        return tuple(findings)
    comparison = compare(State.RESCUED, normal, rescued, expected, booted_before=())
    software = _Software(comparison, definitions[State.NORMAL], definitions[State.RESCUED])
    return tuple(software.attributed(finding) for finding in findings)


@dataclass(frozen=True)
class _Software:
    """The two states, and their domains."""

    comparison: Comparison
    normal_domain: Inventory
    rescued_domain: Inventory

    def attributed(self, finding: Finding) -> Finding:
        if finding.cause != "rescue" or finding.state is not State.RESCUED:
            return finding
        reason = self._reason(finding)
        if reason is None:
            return finding
        return finding.model_copy(update={"cause": "guest-kernel", "message": f"{finding.message}; {reason}"})

    def _reason(self, finding: Finding) -> str | None:
        """Return what the rescue system's software does, in words; None if the software does not explain a finding."""
        is_driver = finding.before.startswith(_DRIVER)
        match finding.claim:
            case ClaimName.ALL_PRESENT | ClaimName.ONLY_ADDITION:
                reason = self._disk(finding)
            case ClaimName.NAMES:
                reason = self._shifted_name(finding)
            case ClaimName.IDENTITY if is_driver:
                reason = self._disk_driver(finding)
            case ClaimName.OTHER_HARDWARE if finding.device.startswith("nic"):
                reason = self._network_interface(finding)
            case ClaimName.OTHER_HARDWARE if finding.device == "domain" and finding.before.startswith(_TPM):
                reason = "a TPM is there, and no driver" if _TPM in self.comparison.other.undriven else None
            case ClaimName.OTHER_HARDWARE:
                reason = self._other_device(finding)
            case _:
                reason = None
        return reason

    def _disk(self, finding: Finding) -> str | None:
        if (finding.before, finding.after) == (_PRESENT, _MISSING):
            return self._lost.get(finding.device)
        for device in self.comparison.other.block_devices:
            if finding.device in {device.name, device.marker and device.marker.disk}:
                return self._undriven(self.comparison.normal, self.normal_domain, device.address, _has_disk)
        return None

    @cached_property
    def _lost(self) -> dict[str, str]:
        """The disks that the rescued guest lacks for want of a driver."""
        reasons = {
            disk: self._undriven(self.comparison.other, self.rescued_domain, device.address, _has_disk)
            for disk, device in self.comparison.missing
        }
        return {disk: reason for disk, reason in reasons.items() if reason is not None}

    def _undriven(
        self, seen: Inventory, domain: Inventory, address: Address, has: Callable[[Inventory, Address], bool]
    ) -> str | None:
        """Return the place without a driver that hides a device; None if its domain lacks it, or if it has a driver."""
        places = (address.in_full, address.model_copy(update={"unit": None}).in_full)
        hidden = next((place for place in places if place and place in seen.undriven), None)
        if hidden is None or not has(domain, address) or not self._same_function(address):
            return None
        return f"the domain has it, and the guest has no driver for {hidden}"

    def _same_function(self, address: Address) -> bool:
        """Return whether both guests see the same PCI function at the end of an address."""
        before, after = (
            next((each for each in inventory.pci_devices if each.path == address.pci_path), None)
            for inventory in (self.comparison.normal, self.comparison.other)
        )
        if before is None or after is None:
            return before is after
        return signature(before) == signature(after)

    def _shifted_name(self, finding: Finding) -> str | None:
        lost = {device.name for disk, device in self.comparison.missing if disk in self._lost}
        return _moved_up(finding, [device.name for device in self.comparison.normal.block_devices], lost)

    def _shifted_interface(self, finding: Finding) -> str | None:
        lost = {nic.name for label, nic in self._interfaces.items() if self._lost_interface(label) is not None}
        return _moved_up(finding, [nic.name for nic in self._interfaces.values()], lost)

    @cached_property
    def _interfaces(self) -> dict[str, NetworkInterface]:
        return network_interfaces(self.comparison.normal)

    def _lost_interface(self, label: str) -> str | None:
        """Return why the rescued guest lacks a NIC; None if it has the NIC, or if no missing driver explains it."""
        if pair_network_interfaces(self.comparison.normal, self.comparison.other)[label] is not None:
            return None
        return self._undriven(self.comparison.other, self.rescued_domain, self._interfaces[label].address, _has_nic)

    def _disk_driver(self, finding: Finding) -> str | None:
        for pair in self.comparison.pairs:
            if pair.disk == finding.device and pair.before.address == pair.after.address:
                return _OTHER_DRIVER if self._same_function(pair.before.address) else None
        return None

    def _network_interface(self, finding: Finding) -> str | None:
        before = self._interfaces.get(finding.device)
        if before is None:
            return None
        after = pair_network_interfaces(self.comparison.normal, self.comparison.other)[finding.device]
        if after is None:
            return self._lost_interface(finding.device)
        if before.address != after.address or before.mac != after.mac or not self._same_function(before.address):
            return None
        if finding.before.startswith(_DRIVER):
            return _OTHER_DRIVER
        if finding.is_about_a_name or finding.before.startswith(_PREDICTABLE):
            return _other_rule(before, after, finding) or self._shifted_interface(finding)
        return None

    def _other_device(self, finding: Finding) -> str | None:
        if {finding.before, finding.after} != {_PRESENT, _MISSING}:
            return None
        came = finding.before == _MISSING
        normal, other = self.comparison.normal, self.comparison.other
        seen, domain = (normal, self.normal_domain) if came else (other, self.rescued_domain)
        if came:
            for nic in new_network_interfaces(normal, other):
                if nic.name == finding.device:
                    return self._undriven(seen, domain, nic.address, _has_nic)
        changes = usb_changes(normal, other, self.comparison.rescue)
        for device in changes.new if came else changes.missing:
            if f"usb {device.vendor_product}" == finding.device:
                return self._usb_device(device, seen, domain)
        return None

    def _usb_device(self, device: UsbDevice, seen: Inventory, domain: Inventory) -> str | None:
        controller = next((each for each in seen.pci_devices if each.address == device.controller), None)
        if controller is None or not any(same_place(each, device) for each in domain.usb_devices):
            return None
        place = "pci " + "/".join(controller.path)
        return f"the domain has it, and the guest has no driver for {place}" if place in seen.undriven else None


_OTHER_DRIVER = "the guest's kernel has another driver for the same device"


def _other_rule(before: NetworkInterface, after: NetworkInterface, finding: Finding) -> str | None:
    """Explain two names by two rules for names; None if the domain gives the device an index in one state only."""
    old, new = (_rule(name.removeprefix(_PREDICTABLE)) for name in (finding.before, finding.after))
    has_index = [_rule(nic.predictable_name or "") == _ONBOARD for nic in (before, after)]
    if None in (old, new) or old == new or has_index[0] != has_index[1]:
        return None
    return f"it is at its place, and named by {new} instead of by {old}"


def _has_disk(domain: Inventory, address: Address) -> bool:
    return any(device.address == address for device in domain.block_devices)


def _has_nic(domain: Inventory, address: Address) -> bool:
    return any(nic.address == address for nic in domain.network_interfaces)


def _moved_up(finding: Finding, names: Sequence[str], lost: Collection[str]) -> str | None:
    """Explain a name of the kernel's that has moved up only because devices before it are lost for want of a driver."""
    family = finding.before[:2]
    gone = {name for name in lost if name.startswith(family)}
    every = sorted((name for name in names if name.startswith(family)), key=lambda name: (len(name), name))
    left = [name for name in every if name not in gone]
    if not gone or finding.before not in left or every[left.index(finding.before)] != finding.after:
        return None
    return f"the guest has no driver for {', '.join(sorted(gone))}, and names close up"


def _rule(name: str) -> str | None:
    """Return the rule by which a NIC was named; None for a name of no known rule."""
    match = _NAME.match(name)
    return None if match is None else _NAME_RULES.get(match[1] + match[2])
