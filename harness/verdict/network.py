"""Pair the network interfaces of two inventories."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.evidence.inventory import Inventory, NetworkInterface


def network_interfaces(normal: Inventory) -> dict[str, NetworkInterface]:
    """The NICs of the normal state as nic0, nic1, ... in order of address, which no kernel name can disturb."""
    ordered = sorted(normal.network_interfaces, key=lambda nic: nic.address.in_full)
    return {f"nic{index}": nic for index, nic in enumerate(ordered)}


def pair_network_interfaces(normal: Inventory, other: Inventory) -> dict[str, NetworkInterface | None]:
    """Find each NIC of the normal state in ``other``: by MAC, else by address, else None."""
    known = network_interfaces(normal)
    by_mac = {nic.mac: nic for nic in other.network_interfaces}
    found: dict[str, NetworkInterface | None] = {label: by_mac.get(nic.mac) for label, nic in known.items()}
    taken = {nic.mac for nic in found.values() if nic is not None}
    by_address = {nic.address: nic for nic in other.network_interfaces if nic.mac not in taken}
    for label, nic in known.items():
        if found[label] is None:
            found[label] = by_address.pop(nic.address, None)
    return found
