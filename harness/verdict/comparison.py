"""Pair the devices of two inventories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.verdict.expected import RESCUE, Expected

if TYPE_CHECKING:
    from harness.evidence.inventory import BlockDevice, Inventory, State


@dataclass(frozen=True, slots=True)
class Pair:
    """One disk in both inventories; ``disk`` is its name in the scenario, or its kernel name if it has no marker."""

    disk: str
    before: BlockDevice
    after: BlockDevice


@dataclass(frozen=True, slots=True)
class Comparison:
    """The normal state beside ``other``.

    ``missing`` are disks that ``other`` lacks. ``added`` are devices of ``other`` that are neither a disk of the
    normal state nor the rescue device. ``booted_before`` are the inventories of all earlier boots of the case.
    """

    state: State
    normal: Inventory
    other: Inventory
    expected: Expected
    booted_before: tuple[Inventory, ...]
    pairs: tuple[Pair, ...]
    missing: tuple[tuple[str, BlockDevice], ...]
    added: tuple[BlockDevice, ...]
    rescue: BlockDevice | None

    def disk_of(self, device: BlockDevice) -> str | None:
        """Return the disk that a device of ``other`` is, by its marker, or by its place if the disk has no marker."""
        if self.rescue is not None and device.name == self.rescue.name:
            return RESCUE
        return next((pair.disk for pair in self.pairs if pair.after.name == device.name), None)

    def holds_other_bytes(self, pair: Pair) -> bool:
        """Tell whether a disk's place has another content in ``other``, which only the claim ``content`` tells."""
        return pair.disk in self.expected.tokens and holder(pair.after, self.expected) != pair.disk


def holder(device: BlockDevice, expected: Expected) -> str | None:
    """Return the disk whose marker the device carries; None if it has no marker of this case."""
    marker = device.marker
    if marker is None or expected.tokens.get(marker.disk) != marker.token:
        return None
    return marker.disk


def holders(inventory: Inventory, expected: Expected, disk: str) -> tuple[BlockDevice, ...]:
    """Return every device that carries this disk's marker."""
    return tuple(device for device in inventory.block_devices if holder(device, expected) == disk)


def compare(
    state: State, normal: Inventory, other: Inventory, expected: Expected, booted_before: tuple[Inventory, ...]
) -> Comparison:
    """Pair the devices by marker, and by address if they have no marker of this case.

    If a marker is found twice, the original disk is the copy at its old address, and the rescue device is the copy at
    a new address. The surplus copy can then be recognised in another disk's place.
    """
    originals = _originals(normal, expected)
    old_addresses = {device.address for device in normal.block_devices}
    rescue_copies = holders(other, expected, RESCUE)
    rescue = next((device for device in rescue_copies if device.address not in old_addresses), None)
    if rescue is None and rescue_copies:
        rescue = rescue_copies[0]

    found: dict[str, BlockDevice] = {}
    for disk, before in originals.items():
        copies = holders(other, expected, disk)
        if copies:
            found[disk] = next((copy for copy in copies if copy.address == before.address), copies[0])
    taken = {device.name for device in found.values()} | ({rescue.name} if rescue else set())
    unclaimed = {device.address: device for device in other.block_devices if device.name not in taken}
    for disk, before in originals.items():
        if disk not in found and before.address in unclaimed:
            found[disk] = unclaimed.pop(before.address)
    taken |= {device.name for device in found.values()}

    seen_first = set(expected.disks) - set(originals)
    return Comparison(
        state=state,
        normal=normal,
        other=other,
        expected=expected,
        booted_before=booted_before,
        pairs=tuple(Pair(disk, before, found[disk]) for disk, before in originals.items() if disk in found),
        missing=tuple((disk, before) for disk, before in originals.items() if disk not in found),
        added=tuple(
            device
            for device in other.block_devices
            if device.name not in taken and holder(device, expected) not in seen_first
        ),
        rescue=rescue,
    )


def _originals(normal: Inventory, expected: Expected) -> dict[str, BlockDevice]:
    first_copies: dict[str, BlockDevice] = {}
    for device in normal.block_devices:
        disk = holder(device, expected)
        if disk == RESCUE:
            continue
        first_copies.setdefault(device.name if disk is None else disk, device)
    return first_copies
