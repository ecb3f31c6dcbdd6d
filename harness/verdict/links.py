"""Check the claim ``links``: each link below /dev/disk points to the same disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import BlockDevice, Inventory, LinkFolder
from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.verdict.comparison import Comparison, Pair

_COMPUTED_BY_ALL = {LinkFolder.BY_PATH, LinkFolder.BY_ID}
"""The folders in which udevs of different versions make different links for the same device."""


def links(comparison: Comparison) -> Iterator[Finding]:
    """Compare udev's links to each disk, whatever kernel name they resolve to.

    If the guests' udevs differ, computed links are compared instead. udev gives a link that several disks want to one
    of them, and nobody can rely on which. So a disk loses a link that another one wants beside it in the state under
    test only, whoever got the link in this boot. A link that several disks want in both states counts for none.
    """
    contested = _contested(comparison.normal), _contested(comparison.other)
    for pair, folder, before, after in _in_both(comparison):
        reliable = [link for link in after if f"{folder}/{link}" not in contested[1] - contested[0]]
        lost = [
            link
            for link in sorted(set(before) - set(reliable))
            if f"{folder}/{link}" not in contested[0] or not _holders(comparison.other, folder, link)
        ]
        gained = sorted(link for link in set(reliable) - set(before) if f"{folder}/{link}" not in contested[0])
        if lost or gained:
            yield Finding(
                claim=ClaimName.LINKS,
                device=pair.disk,
                before=" ".join(lost) or "none",
                after=" ".join(gained) or "none",
                message=f"{folder}: " + "; ".join(_changes(comparison, pair, folder, lost, gained)),
            )


def unknown_links(comparison: Comparison) -> Iterator[str]:
    """Return the links that cannot be compared, because a guest does not tell them."""
    for folder in LinkFolder:
        disks = [pair.disk for pair in comparison.pairs if None in _links_of(comparison, pair, folder)]
        if disks:
            yield f"{folder} of {', '.join(disks)}"


def _in_both(comparison: Comparison) -> Iterator[tuple[Pair, LinkFolder, tuple[str, ...], tuple[str, ...]]]:
    for pair in comparison.pairs:
        for folder in LinkFolder:
            if folder not in _COMPUTED_BY_ALL and comparison.holds_other_bytes(pair):
                continue
            before, after = _links_of(comparison, pair, folder)
            if before is not None and after is not None:
                yield pair, folder, before, after


def _links_of(
    comparison: Comparison, pair: Pair, folder: LinkFolder
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    normal, other = comparison.normal, comparison.other
    alike = (normal.links_from, normal.udev_version) == (other.links_from, other.udev_version)
    if alike or folder not in _COMPUTED_BY_ALL:
        return pair.before.links(folder), pair.after.links(folder)
    return _computed(pair.before, folder), _computed(pair.after, folder)


def _computed(device: BlockDevice, folder: LinkFolder) -> tuple[str, ...] | None:
    computed = device.computed_links
    if computed is None:
        return device.links(folder)
    return computed.by_path if folder is LinkFolder.BY_PATH else computed.by_id


def _contested(inventory: Inventory) -> set[str]:
    return {link for device in inventory.block_devices for link in device.contested}


def _holders(inventory: Inventory, folder: LinkFolder, link: str) -> list[BlockDevice]:
    return [device for device in inventory.block_devices if link in (device.links(folder) or ())]


def _changes(
    comparison: Comparison, pair: Pair, folder: LinkFolder, lost: Sequence[str], gained: Sequence[str]
) -> Iterator[str]:
    for link in lost:
        rivals = [
            comparison.disk_of(device) or f"a new device ({device.name})"
            for device in comparison.other.block_devices
            if f"{folder}/{link}" in device.contested and device.name != pair.after.name
        ]
        target = next(iter(_holders(comparison.other, folder, link)), None)
        if rivals:
            yield f"{link} is wanted by {' and '.join(rivals)}, too, and either may get it"
        elif target is None:
            yield f"{link} is gone"
        else:
            yield f"{link} now points to {comparison.disk_of(target) or 'a new device'} ({target.name})"
    for link in gained:
        origin = next((each for each in comparison.pairs if link in (each.before.links(folder) or ())), None)
        yield f"{link} is new" if origin is None else f"{link} pointed to {origin.disk} ({origin.before.name})"
