"""Pair the network interfaces of two inventories."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from harness.evidence.inventory import Inventory, NetworkInterface


def network_interfaces(normal: Inventory) -> dict[str, NetworkInterface]:
    """The NICs of the normal state as nic0, nic1, ... in order of address, which no kernel name can disturb."""
    ordered = sorted(normal.network_interfaces, key=lambda nic: nic.address.in_full)
    return {f"nic{index}": nic for index, nic in enumerate(ordered)}


def pair_network_interfaces(normal: Inventory, other: Inventory) -> dict[str, NetworkInterface | None]:
    """Find each NIC of the normal state in ``other``: by MAC and address, else by MAC, else by address, else None.

    Each NIC of ``other`` is found once at most: one of two with the same MAC is left over.
    """
    found: dict[str, NetworkInterface | None] = dict.fromkeys(network_interfaces(normal))
    left = list(other.network_interfaces)
    keys: tuple[Callable[[NetworkInterface], Hashable], ...] = (
        lambda nic: (nic.mac, nic.address),
        lambda nic: nic.mac,
        lambda nic: nic.address,
    )
    for key in keys:
        for label, nic in network_interfaces(normal).items():
            same = next((each for each in left if key(each) == key(nic)), None)
            if found[label] is None and same is not None:
                found[label] = same
                left.remove(same)
    return found


def new_network_interfaces(normal: Inventory, other: Inventory) -> tuple[NetworkInterface, ...]:
    """Return the NICs of ``other`` that are none of the normal state's."""
    left = list(other.network_interfaces)
    for nic in pair_network_interfaces(normal, other).values():
        if nic is not None:
            left.remove(nic)
    return tuple(left)
