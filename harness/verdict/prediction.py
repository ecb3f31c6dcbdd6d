"""What a guest says to the harness's own model of it: names and addresses of disks, told from the domain's XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from harness.evidence.inventory import BlockDevice, Inventory, State


def contradictions(state: State, predicted: Inventory, seen: Inventory) -> tuple[Finding, ...]:
    """Whatever is not as the inventory of the domain's XML says: places and names of disks, secure boot.

    Disks are matched by marker; what is missing is not asked about here. Secure boot must be proven where it is set up.
    """
    devices = {device.marker: device for device in seen.block_devices if device.marker is not None}
    of_disks = tuple(
        finding
        for device in predicted.block_devices
        if device.marker is not None and device.marker in devices
        for finding in _contradictions(state, device.marker.disk, device, devices[device.marker])
    )
    return (*of_disks, *_secure_boot(state, predicted, seen))


def _secure_boot(state: State, predicted: Inventory, seen: Inventory) -> Iterator[Finding]:
    if bool(predicted.secure_boot) != bool(seen.secure_boot):
        before, after = ("on" if inventory.secure_boot else "off" for inventory in (predicted, seen))
        yield _finding(state, ClaimName.OTHER_HARDWARE, "firmware", f"secure boot {before}", f"secure boot {after}")


def _contradictions(state: State, disk: str, predicted: BlockDevice, seen: BlockDevice) -> Iterator[Finding]:
    if predicted.predicted is not None and seen.name not in predicted.predicted.possible:
        names = predicted.predicted.possible
        yield _finding(state, ClaimName.NAMES, disk, "|".join(names), seen.name)
    if predicted.address != seen.address:
        yield _finding(state, ClaimName.ADDRESSES, disk, predicted.address, seen.address)


def _finding(state: State, claim: ClaimName, disk: str, predicted: str, seen: str) -> Finding:
    return Finding(
        claim=claim,
        device=disk,
        before=predicted,
        after=seen,
        message=f"predicted {predicted}, seen {seen}, in the {state} state",
        cause="model",
    )
