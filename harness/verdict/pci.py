"""Compare PCI trees: which functions stayed, moved, changed, vanished or came with the rescue device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.evidence.address import GuestBus

if TYPE_CHECKING:
    from harness.evidence.inventory import BlockDevice, Inventory, PciDevice

_USB_CONTROLLER = "0c03"
# (vendor:device) as QEMU's docs/specs/pci-ids.rst has them; class codes as in include/linux/pci_ids.h.
_DEVICE_NAMES = {
    "1af4:1050": "virtio graphics card",
    "1af4:1053": "virtio vsock",
    "1af4:105a": "virtio file system",
    "1af4:1009": "virtio 9p share",
    "1af4:1049": "virtio 9p share",
    "1af4:1000": "virtio network card",
    "1af4:1041": "virtio network card",
    "1af4:1001": "virtio disk",
    "1af4:1042": "virtio disk",
    "1af4:1002": "virtio balloon",
    "1af4:1045": "virtio balloon",
    "1af4:1003": "virtio console",
    "1af4:1043": "virtio console",
    "1af4:1005": "virtio random number generator",
    "1af4:1044": "virtio random number generator",
    "1af4:1004": "virtio-scsi controller",
    "1af4:1048": "virtio-scsi controller",
    "1000:0012": "lsilogic controller",
    "15ad:07c0": "vmpvscsi controller",
    "1b36:000c": "PCI Express root port",
    "1b36:000e": "PCI Express to PCI bridge",
}
_CLASS_NAMES = {
    "0100": "SCSI controller",
    "0101": "IDE controller",
    "0106": "SATA controller",
    "0107": "SAS controller",
    "0200": "network card",
    "0300": "graphics card",
    "0604": "PCI bridge",
    "0c0300": "USB controller (UHCI)",
    "0c0310": "USB controller (OHCI)",
    "0c0320": "USB controller (EHCI)",
    "0c0330": "USB controller (xHCI)",
}


@dataclass(frozen=True, slots=True)
class PciChanges:
    """The changes of a PCI tree.

    ``moved`` and ``changed`` hold a function's old and new form. ``brought`` came with the rescue device. ``same`` are
    the functions present in both states, moved or not, with their settings.
    """

    same: tuple[tuple[PciDevice, PciDevice], ...]
    moved: tuple[tuple[PciDevice, PciDevice], ...]
    changed: tuple[tuple[PciDevice, PciDevice], ...]
    missing: tuple[PciDevice, ...]
    new: tuple[PciDevice, ...]
    brought: tuple[PciDevice, ...]


def pci_changes(normal: Inventory, other: Inventory, rescue: BlockDevice | None) -> PciChanges:
    """Compare function by function at each path of bridges.

    Functions that are a virtio disk or a NIC count only if both trees have one in the same place, because the moves of
    disks and NICs are findings about the disk or the NIC. A new function belongs to the rescue device if it lies on
    the device's path, or is a further USB controller of a slot on that path (EHCI and its UHCI companions).
    """
    old_owners, new_owners = _owners(normal), _owners(other)
    old_tree = {function.path: function for function in normal.pci_devices}
    new_tree = {function.path: function for function in other.pci_devices}
    gone: list[PciDevice] = []
    same: list[tuple[PciDevice, PciDevice]] = []
    changed: list[tuple[PciDevice, PciDevice]] = []
    for path, function in old_tree.items():
        successor = new_tree.get(path)
        if successor is not None and signature(successor) == signature(function):
            same.append((function, successor))
            continue
        owner = old_owners.get(function.address)
        if successor is not None and owner is not None and owner == new_owners.get(successor.address):
            changed.append((function, successor))
        elif owner is None:
            gone.append(function)
    replaced = {after.path for _, after in changed}
    arrived = [
        function
        for path, function in new_tree.items()
        if path not in replaced
        and function.address not in new_owners
        and (path not in old_tree or signature(old_tree[path]) != signature(function))
    ]
    arrived.sort(key=lambda function: _belongs_to(rescue, function))
    moved: list[tuple[PciDevice, PciDevice]] = []
    missing: list[PciDevice] = []
    for function in gone:
        successor = next((new for new in arrived if signature(new) == signature(function)), None)
        if successor is not None:
            moved.append((function, successor))
        else:
            successor = next((new for new in arrived if new.path == function.path), None)
            if successor is None or _belongs_to(rescue, successor):
                missing.append(function)
                continue
            changed.append((function, successor))
        arrived.remove(successor)
    return PciChanges(
        same=(*same, *moved),
        moved=tuple(moved),
        changed=tuple(changed),
        missing=tuple(missing),
        new=tuple(function for function in arrived if not _belongs_to(rescue, function)),
        brought=tuple(function for function in arrived if _belongs_to(rescue, function)),
    )


def describe(function: PciDevice) -> str:
    """Describe the function in words, or by its ids."""
    if function.model is not None:
        return function.model
    ids, class_code = function.vendor_device, function.class_code
    name = _DEVICE_NAMES.get(ids) or _CLASS_NAMES.get(class_code[:6]) or _CLASS_NAMES.get(class_code[:4])
    return name or f"PCI function {ids}"


def identifiers(function: PciDevice) -> str:
    """Return ids and class, or the model, as a finding's ``before`` or ``after``."""
    if function.model is not None:
        return function.model
    return f"{function.vendor_device} subsystem {function.subsystem} class {function.class_code}"


def signature(function: PciDevice) -> tuple[str, str, str, str]:
    """Return the facts by which a function is the same device."""
    return function.vendor_device, function.subsystem, function.class_code, function.model or ""


def _owners(inventory: Inventory) -> dict[str, str]:
    disks = (device.address.function for device in inventory.block_devices if device.bus is GuestBus.VIRTIO)
    cards = (nic.address.function for nic in inventory.network_interfaces)
    owners = dict.fromkeys(disks, "disk") | dict.fromkeys(cards, "NIC")
    return {function: owner for function, owner in owners.items() if function is not None}


def _belongs_to(rescue: BlockDevice | None, function: PciDevice) -> bool:
    if rescue is None:
        return False
    if function.address in rescue.pci_path:
        return True
    slots = {address.rpartition(".")[0] for address in rescue.pci_path}
    return function.class_code.startswith(_USB_CONTROLLER) and function.address.rpartition(".")[0] in slots
