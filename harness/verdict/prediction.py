"""Check the harness's own model against a guest: names, addresses and links of its disks.

The model predicts names and addresses from the domain's XML, and links from the guest's own sysfs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.evidence.guest.links import MODELLED_UDEV
from harness.evidence.inventory import State
from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from harness.evidence.inventory import BlockDevice, ComputedLinks, Inventory


def contradictions(state: State, predicted: Inventory, seen: Inventory) -> tuple[Finding, ...]:
    """Return every contradiction to the inventory of the domain's XML: places and names of disks, secure boot.

    Disks are matched by marker; missing disks are not checked here. If secure boot is set up, the guest must prove it.
    """
    of_disks = tuple(
        finding
        for device in predicted.block_devices
        if device.marker is not None
        for found in [_bearer(state, device, seen)]
        if found is not None
        for finding in _contradictions(state, device.marker.disk, device, found)
    )
    return (*of_disks, *_secure_boot(state, predicted, seen))


def _bearer(state: State, predicted: BlockDevice, seen: Inventory) -> BlockDevice | None:
    """Return the device that a prediction is about; None if the disks' bytes are not in the domain's places.

    The harness has planted the markers of the normal state, so a marker that is elsewhere there contradicts the model.
    In later states somebody may have written a disk's bytes to another disk, which the claim ``content`` reports.
    """
    bearers = [device for device in seen.block_devices if device.marker == predicted.marker]
    if len(bearers) != 1:
        return None
    occupant = next((device for device in seen.block_devices if device.address == predicted.address), None)
    is_foreign = occupant is not None and occupant.marker is not None and occupant is not bearers[0]
    return None if is_foreign and state is not State.NORMAL else bearers[0]


def _secure_boot(state: State, predicted: Inventory, seen: Inventory) -> Iterator[Finding]:
    if state is State.RESCUED and seen.firmware == "uefi" and seen.secure_boot is None:
        return  # a rescue system that shows no UEFI variables contradicts nothing
    if bool(predicted.secure_boot) != bool(seen.secure_boot):
        before, after = ("on" if inventory.secure_boot else "off" for inventory in (predicted, seen))
        yield _finding(state, ClaimName.OTHER_HARDWARE, "firmware", f"secure boot {before}", f"secure boot {after}")


def link_contradictions(state: State, seen: Inventory) -> tuple[Finding, ...]:
    """Return every link that the guest's udev made differently from the computed one.

    An udev of another version than the modelled one may make further links, but it must make the computed ones.
    """
    return tuple(
        finding
        for device in seen.block_devices
        if device.computed_links is not None
        for finding in _link_contradictions(state, device, device.computed_links, seen.udev_version)
    )


def _link_contradictions(
    state: State, device: BlockDevice, computed: ComputedLinks, version: int | None
) -> Iterator[Finding]:
    contested = set(computed.contested)
    for ours, theirs in ((computed.by_path, device.by_path), (computed.by_id, device.by_id)):
        if ours is None or theirs is None:
            continue
        wanted = sorted(set(ours) - set(theirs) - contested)
        surplus = sorted(set(theirs) - set(ours) - contested) if version == MODELLED_UDEV else []
        if wanted or surplus:
            disk = device.name if device.marker is None else device.marker.disk
            yield _finding(state, ClaimName.LINKS, disk, " ".join(wanted) or "none", " ".join(surplus) or "none")


def _contradictions(state: State, disk: str, predicted: BlockDevice, seen: BlockDevice) -> Iterator[Finding]:
    if predicted.predicted is not None and seen.name not in predicted.predicted.possible:
        names = predicted.predicted.possible
        yield _finding(state, ClaimName.NAMES, disk, "|".join(names), seen.name)
    if predicted.address != seen.address:
        yield _finding(state, ClaimName.ADDRESSES, disk, predicted.address.in_full, seen.address.in_full)


def _finding(state: State, claim: ClaimName, disk: str, predicted: str, seen: str) -> Finding:
    return Finding(
        claim=claim,
        device=disk,
        before=predicted,
        after=seen,
        message=f"predicted {predicted}, seen {seen}, in the {state} state",
        cause="model",
    )
