"""Collect what all boots of a case showed of one device: its names, at which addresses, in which boots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.evidence.inventory import Inventory, State
from harness.verdict.comparison import holders
from harness.verdict.network import network_interfaces, pair_network_interfaces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.evidence.address import Address
    from harness.verdict.expected import Expected


@dataclass(frozen=True, slots=True)
class Seen:
    """A device in one boot."""

    boot_id: str | None
    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class History:
    """What all boots showed of one device; ``before`` counts the normal boots before the rescue."""

    seen: Mapping[State, tuple[Seen | None, ...]]
    before: int

    def names(self, state: State) -> list[str]:
        """Return the device's names in all boots of a state."""
        return _names(self.seen[state])

    def sightings(self, state: State) -> list[Seen]:
        """Return what the boots of the normal and of another state showed, as far as they had the device."""
        return [each for key in (State.NORMAL, state) for each in self.seen[key] if each is not None]

    def races(self, state: State) -> bool:
        """Return whether the name varies at one address, within a state and on one side of the rescue."""
        normal = self.seen[State.NORMAL]
        alike = (normal[: self.before], normal[self.before :], self.seen[state])
        varies = any(len(set(_names(boots))) > 1 for boots in alike)
        return varies and len({each.address for each in self.sightings(state)}) == 1

    def rate(self, state: State, name: str) -> str:
        """Return in how many boots the device had another name."""
        # Control boots of a definition that the unrescued domain has, too, are boots of both states.
        seen = dict.fromkeys(self.sightings(state))
        return f"{sum(each.name != name for each in seen)} of {len(seen)} boots named it otherwise"


def _names(boots: Sequence[Seen | None]) -> list[str]:
    return [seen.name for seen in boots if seen is not None]


def history_of(
    device: str, expected: Expected, first: Inventory, boots: Mapping[State, Sequence[Inventory]], before: int
) -> History:
    """Return what all boots showed of a disk or a NIC that the ``first`` inventory has by this name."""
    seen = {
        state: tuple(_seen(device, expected, first, inventory) for inventory in inventories)
        for state, inventories in boots.items()
    }
    return History(seen, before)


def _seen(device: str, expected: Expected, first: Inventory, inventory: Inventory) -> Seen | None:
    if device in network_interfaces(first):
        same = pair_network_interfaces(first, inventory)[device]
        return None if same is None else Seen(inventory.boot_id, same.name, same.address)
    if device in expected.tokens:
        copies = holders(inventory, expected, device)
    else:
        unmarked = first.block_device(device)
        copies = tuple(
            disk for disk in inventory.block_devices if unmarked is not None and disk.address == unmarked.address
        )
    return Seen(inventory.boot_id, copies[0].name, copies[0].address) if copies else None
