"""Compare the USB devices that are no disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.evidence.address import UsbUnit

if TYPE_CHECKING:
    from harness.evidence.inventory import BlockDevice, Inventory, UsbDevice


@dataclass(frozen=True, slots=True)
class UsbChanges:
    """The changes of USB devices.

    ``moved`` holds a device's old and new form. ``brought`` are the hubs that the rescue stick hangs on. ``same`` are
    the devices present in both states, moved or not, with their settings.
    """

    same: tuple[tuple[UsbDevice, UsbDevice], ...]
    moved: tuple[tuple[UsbDevice, UsbDevice], ...]
    missing: tuple[UsbDevice, ...]
    new: tuple[UsbDevice, ...]
    brought: tuple[UsbDevice, ...]


def usb_changes(normal: Inventory, other: Inventory, rescue: BlockDevice | None) -> UsbChanges:
    """Compare by controller and port; leave out devices with a block device, which the claims on disks cover."""
    before, after = _no_disks(normal), _no_disks(other)
    found = {_identity(device): device for device in after}
    known = {_identity(device) for device in before}
    same = [(device, found[_identity(device)]) for device in before if _identity(device) in found]
    gone = [device for device in before if _identity(device) not in found]
    arrived = [device for device in after if _identity(device) not in known]
    moved: list[tuple[UsbDevice, UsbDevice]] = []
    missing: list[UsbDevice] = []
    for device in gone:
        successor = next((new for new in arrived if _kind(new) == _kind(device)), None)
        if successor is None:
            missing.append(device)
        else:
            moved.append((device, successor))
            arrived.remove(successor)
    return UsbChanges(
        same=(*same, *moved),
        moved=tuple(moved),
        missing=tuple(missing),
        new=tuple(device for device in arrived if not _leads_to(rescue, device)),
        brought=tuple(device for device in arrived if _leads_to(rescue, device)),
    )


def same_place(one: UsbDevice, other: UsbDevice) -> bool:
    """Return whether two devices are at the same port of the same controller."""
    return (one.controller, _ports(one.port)) == (other.controller, _ports(other.port))


def _no_disks(inventory: Inventory) -> list[UsbDevice]:
    disks = {
        (disk.address.function, disk.address.unit.ports)
        for disk in inventory.block_devices
        if isinstance(disk.address.unit, UsbUnit)
    }
    plain = (device.model_copy(update={"port": _ports(device.port)}) for device in inventory.usb_devices)
    return [device for device in plain if (device.controller, device.port) not in disks]


def _ports(port: str) -> str:
    """The ports without the bus number in front of them, which is order of arrival."""
    return port.rpartition("-")[2]


def _kind(device: UsbDevice) -> tuple[str, str]:
    return device.vendor_product, device.product


def _identity(device: UsbDevice) -> tuple[str, str, str, str]:
    return (device.controller, device.port, *_kind(device))


def _leads_to(rescue: BlockDevice | None, device: UsbDevice) -> bool:
    return (
        rescue is not None
        and isinstance(rescue.address.unit, UsbUnit)
        and device.controller in rescue.pci_path
        and rescue.address.unit.ports.startswith(f"{device.port}.")
    )
