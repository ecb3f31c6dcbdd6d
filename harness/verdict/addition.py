"""Check the claim ``only-addition``: the rescue device is the one new block device, and it is of the kind asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.address import GuestBus
from harness.evidence.inventory import BlockDevice, BlockKind, State
from harness.scenario.words import ClaimName, DeviceType, DiskBus
from harness.verdict.comparison import Comparison, holder, holders
from harness.verdict.expected import RESCUE
from harness.verdict.finding import Finding
from harness.verdict.place import buses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_USB_CDROM = "a CD-ROM was asked for and the guest sees a disk: libvirt before 11.5 makes a USB CD-ROM a USB disk"


def only_addition(comparison: Comparison) -> Iterator[Finding]:
    """Return a finding for each new block device other than the rescue device, and for a rescue device of another kind.

    Only the rescued state may have a new block device.
    """
    if comparison.state is State.RESCUED:
        yield from _rescue_device(comparison)
    elif comparison.rescue is not None:
        yield _added(RESCUE, comparison.rescue, "the rescue device is still there")
    for device in comparison.added:
        copy_of = holder(device, comparison.expected)
        what = "new block device" if copy_of is None else f"new block device with the content of {copy_of}"
        yield _added(device.name, device, what)


def _added(name: str, device: BlockDevice, what: str) -> Finding:
    return Finding(
        claim=ClaimName.ONLY_ADDITION,
        device=name,
        before="missing",
        after="present",
        message=f"{what}: {device.name} at {device.address}",
    )


def _rescue_device(comparison: Comparison) -> Iterator[Finding]:
    device = comparison.rescue
    already = holders(comparison.normal, comparison.expected, RESCUE)
    if already:
        yield Finding(
            claim=ClaimName.ONLY_ADDITION,
            device=RESCUE,
            before="present",
            after="present" if device else "missing",
            message=f"there in the normal state already, as {already[0].name}",
        )
    if device is None:
        yield Finding(
            claim=ClaimName.ONLY_ADDITION,
            device=RESCUE,
            before="present",
            after="missing",
            message="no device carries the rescue medium's marker",
        )
        return
    expected = comparison.expected
    if expected.rescue_bus is not None:
        drivers = {function.address: function.driver for function in comparison.other.pci_devices}
        buses = buses_of(device, drivers)
        if expected.rescue_bus not in buses:
            seen = "|".join(sorted(buses)) or str(device.bus)
            yield _unlike_asked(expected.rescue_bus, seen, f"on bus {seen}, not on {expected.rescue_bus} as asked")
    if expected.rescue_device is not None and str(device.kind) != expected.rescue_device:
        usb_cdrom = (
            expected.rescue_device is DeviceType.CDROM
            and device.kind is BlockKind.DISK
            and expected.rescue_bus in {None, DiskBus.USB}
            and device.bus is GuestBus.USB
        )
        message = _USB_CDROM if usb_cdrom else f"a {device.kind}, not a {expected.rescue_device} as asked"
        yield _unlike_asked(expected.rescue_device, str(device.kind), message)


def _unlike_asked(asked: str, seen: str, message: str) -> Finding:
    return Finding(claim=ClaimName.ONLY_ADDITION, device=RESCUE, before=str(asked), after=seen, message=message)
