"""Check the claims about each disk of the instance: present, same address, same links, same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import BlockDevice, State
from harness.scenario.words import ClaimName
from harness.verdict.comparison import Comparison, Pair, holder, holders
from harness.verdict.finding import Finding
from harness.verdict.place import move
from harness.verdict.settings import changed
from harness.verdict.traits import disk_traits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def all_present(comparison: Comparison) -> Iterator[Finding]:
    """Check that every disk of the instance, and every other block device of the normal state, is present."""
    for disk, before in comparison.missing:
        yield Finding(
            claim=ClaimName.ALL_PRESENT,
            device=disk,
            before="present",
            after="missing",
            message=f"missing, was {before.name} at {before.address}",
        )
    if comparison.state is State.RESCUED:
        for disk in comparison.expected.disks:
            if not holders(comparison.normal, comparison.expected, disk):
                there = holders(comparison.other, comparison.expected, disk)
                yield Finding(
                    claim=ClaimName.ALL_PRESENT,
                    device=disk,
                    before="missing",
                    after="present" if there else "missing",
                    message="its marker is on no device of the normal state already",
                )


def addresses(comparison: Comparison) -> Iterator[Finding]:
    """Compare the place on the PCI tree and on the bus behind it."""
    for pair in comparison.pairs:
        moved = move(pair.before.address, pair.after.address)
        if moved is not None:
            yield Finding(
                claim=ClaimName.ADDRESSES,
                device=pair.disk,
                before=moved.before,
                after=moved.after,
                message=moved.phrase,
            )


_OF_THE_BYTES = ("size", "partitions")
"""Traits that come with a disk's bytes: the claim ``content`` tells of other bytes in a disk's place."""


def identity(comparison: Comparison) -> Iterator[Finding]:
    """Compare the device's own description, its partitions by number, first byte and size, and its settings."""
    for pair in comparison.pairs:
        unknown = {*_unknown(pair), *(_OF_THE_BYTES if comparison.holds_other_bytes(pair) else ())}
        before, after = (
            {name: value for name, value in _traits(device).items() if name not in unknown}
            for device in (pair.before, pair.after)
        )
        yield from _identity(pair.disk, before, after)
    yield from disk_settings(comparison)
    yield from disk_traits(comparison)


def unknown_traits(comparison: Comparison) -> Iterator[str]:
    """Return the traits of disks that cannot be compared, because a guest's kernel does not tell them."""
    for pair in comparison.pairs:
        if unknown := _unknown(pair):
            yield f"{', '.join(unknown)} of {pair.disk}"


def _unknown(pair: Pair) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*pair.before.unknown, *pair.after.unknown)))


def disk_settings(comparison: Comparison) -> Iterator[Finding]:
    """Compare how each disk is set and stored: the part of ``identity`` that only definitions show."""
    for pair in comparison.pairs:
        yield from _identity(pair.disk, pair.before.settings, pair.after.settings)
        yield from _identity(pair.disk, _storage(pair.before), _storage(pair.after))


def _identity(disk: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Finding]:
    for trait, old, new in changed(before, after):
        yield Finding(
            claim=ClaimName.IDENTITY,
            device=disk,
            before=f"{trait} {old}",
            after=f"{trait} {new}",
            message=f"{trait} {old} -> {new}",
        )


def _storage(device: BlockDevice) -> dict[str, str]:
    return {"storage": device.storage or "unknown"}


def _traits(device: BlockDevice) -> dict[str, str]:
    partitions = sorted((part.number, part.start_bytes, part.size_bytes) for part in device.partitions)
    return {
        "size": "unknown" if device.size_bytes is None else str(device.size_bytes),
        "sector size": str(device.sector_bytes),
        "serial": device.serial or "none",
        "wwn": device.wwn or "none",
        "vendor": device.vendor or "none",
        "model": device.model or "none",
        "bus": str(device.bus),
        "driver": device.driver or "none",
        "access": "read-only" if device.read_only else "writable",
        "medium": "removable" if device.removable else "fixed",
        "kind": str(device.kind),
        "partitions": " ".join(f"{number}@{start}+{size}" for number, start, size in partitions) or "none",
    }


def content(comparison: Comparison) -> Iterator[Finding]:
    """Check that the same bytes are in the same place, and only there.

    The check goes by the place and not by the disk: two disks that changed places keep every address in use, and each
    disk is intact.
    """
    for pair in comparison.pairs:
        yield from _content_lost(comparison, pair)
    expected = comparison.expected
    at_address = {device.address: device for device in comparison.other.block_devices}
    wanted = [(pair.disk, pair.before) for pair in comparison.pairs] + list(comparison.missing)
    for disk, before in wanted:
        occupant = at_address.get(before.address)
        holds = None if occupant is None else holder(occupant, expected)
        if disk in expected.tokens and occupant is not None and holds not in {None, disk}:
            yield Finding(
                claim=ClaimName.CONTENT,
                device=disk,
                before=disk,
                after=str(holds),
                message=f"where it was, {before.address}, is now the content of {holds} ({occupant.name})",
            )
    states = [("", comparison.other)]
    if comparison.state is State.RESCUED:
        states.append((" in the normal state", comparison.normal))
    for where, inventory in states:
        for disk in expected.tokens:
            copies = holders(inventory, expected, disk)
            if len(copies) > 1:
                yield Finding(
                    claim=ClaimName.CONTENT,
                    device=disk,
                    before="1 copy",
                    after=f"{len(copies)} copies",
                    message=f"found on {' and '.join(copy.name for copy in copies)}{where}",
                )


def _content_lost(comparison: Comparison, pair: Pair) -> Iterator[Finding]:
    if pair.disk not in comparison.expected.tokens or holder(pair.after, comparison.expected) is not None:
        return
    marker = pair.after.marker
    after, seen = "no marker", "its marker is gone"
    if marker is not None:
        after, seen = "foreign marker", f"it carries the marker of {marker.disk} with a token that is not this case's"
    yield Finding(
        claim=ClaimName.CONTENT,
        device=pair.disk,
        before=pair.disk,
        after=after,
        message=f"{seen}: {pair.after.name} at {pair.after.address} holds other bytes",
    )
