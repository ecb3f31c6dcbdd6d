"""Places for one more disk that come after everything a domain has, in the order in which firmware and Linux look.

Linux names SCSI disks by host, then target, and hosts mostly by the PCI order of their controllers. A device in a gap
would take a name in a gap. So no function here ever fills a gap.
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from harness.domain.addresses.pci_places import Place, pci_place
from harness.domain.addresses.pci_topology import guest_functions
from harness.domain.xml import (
    DriveAddress,
    PciAddress,
    controller_index,
    controllers,
    devices_of,
    disk_target,
    disks_of,
)
from harness.errors import Refused

SATA_PORTS = 6
IDE_PLACES = tuple(DriveAddress(0, bus, 0, unit) for bus in (0, 1) for unit in (0, 1))
FLOPPY_DRIVES = 2
USB_PORTS = {"qemu-xhci": 4, "nec-xhci": 4, "ich9-ehci1": 6, "ehci": 6, "pci-ohci": 3}
"""Ports by model; other models (UHCI) have 2. A ``ports`` attribute changes the number of xHCI's ports (libvirt,
domain_addr.c, virDomainUSBAddressControllerModelToPorts)."""
UHCI_PORTS = 2
LSILOGIC_IDS = range(7)
"""A narrow bus has eight ids, and the controller itself has the last; QEMU's lsi53c895a takes no more."""
VIRTIO_SCSI = ("virtio-scsi", "virtio-transitional", "virtio-non-transitional")
SCSI_TARGETS = {**dict.fromkeys(VIRTIO_SCSI, 256), "lsisas1068": 8, "lsisas1078": 128, "vmpvscsi": 64}
"""Targets of QEMU's controllers: virtio-scsi (libvirt's limit), MPTSAS_NUM_PORTS, MFI_MAX_LD, PVSCSI_MAX_DEVS."""


def scsi_place(root: etree._Element, *, uefi: bool) -> Place:
    """Return a new SCSI target behind the last one in use, with LUN 0: Linux lists a target's newest LUN first.

    An existing controller serves if no later controller, SCSI or SATA, has disks, and if the firmware can boot from the
    controller: OVMF boots only from virtio-scsi. Otherwise the place comes with a new virtio-scsi controller, which is
    the last of all.

    Raises:
        Refused: the disk needs a new controller, and no PCI place is left.
    """

    def place_on(controller: etree._Element) -> Place | None:
        model = controller.get("model", "lsilogic")
        if model not in VIRTIO_SCSI and (uefi or _sata_disks_after(root, controller)):
            return None
        return _on_scsi_controller(root, controller_index(controller), model)

    return _on_last_controller(root, "scsi", place_on) or _on_new_controller(root, "scsi", "virtio-scsi")


def _on_scsi_controller(root: etree._Element, index: int, model: str) -> Place | None:
    used = _drives_on(root, "scsi", index)
    if model == "lsilogic":
        last_unit = max((address.unit for address in used), default=-1)
        unit = next((unit for unit in LSILOGIC_IDS if unit > last_unit), None)
        return None if unit is None else Place(DriveAddress(index, 0, 0, unit).as_xml())
    target = max((address.target for address in used), default=-1) + 1
    return None if target >= SCSI_TARGETS.get(model, 1) else Place(DriveAddress(index, 0, target, 0).as_xml())


def sata_place(root: etree._Element) -> Place:
    """Return the SATA port behind the last one in use.

    The port is on a new AHCI controller if the last controller is full or there is none.

    Raises:
        Refused: the disk needs a new controller, and no PCI place is left.
    """

    def place_on(controller: etree._Element) -> Place | None:
        index = controller_index(controller)
        port = max((address.unit for address in _drives_on(root, "sata", index)), default=-1) + 1
        return Place(DriveAddress(index, 0, 0, port).as_xml()) if port < SATA_PORTS else None

    return _on_last_controller(root, "sata", place_on) or _on_new_controller(root, "sata")


def ide_place(root: etree._Element) -> Place:
    """Return an IDE place behind the last one in use, on an empty channel if there is one.

    A new disk beside another disk on its channel would claim the other disk's link: udev's compatibility link
    pci-...-ata-N names only the channel (systemd, udev-builtin-path_id.c, handle_scsi_ata).

    Raises:
        Refused: the secondary slave is taken, so at most a gap is free.
    """
    used = [address for disk in disks_of(root) if disk_target(disk)[1] == "ide" and (address := DriveAddress.of(disk))]
    last = max((IDE_PLACES.index(address) for address in used), default=-1)
    if last + 1 == len(IDE_PLACES):
        raise Refused("the IDE bus has no place behind its last disk: it has four in all")
    busy = {address.bus for address in used}
    place = next((place for place in IDE_PLACES[last + 1 :] if place.bus not in busy), IDE_PLACES[last + 1])
    return Place(place.as_xml(), target_index=IDE_PLACES.index(place))


def floppy_place(root: etree._Element) -> Place:
    """Return the place of the next floppy drive.

    Raises:
        Refused: both drives are in use.
    """
    used = [
        address.unit for disk in disks_of(root) if disk_target(disk)[1] == "fdc" and (address := DriveAddress.of(disk))
    ]
    unit = max(used, default=-1) + 1
    if unit == FLOPPY_DRIVES:
        raise Refused("the floppy controller has no free drive: it has two in all")
    return Place(DriveAddress(0, 0, 0, unit).as_xml())


def usb_place(root: etree._Element) -> Place:
    """Return the USB port behind the last one in use.

    The port is on a new xHCI controller if the last controller is full or there is none.

    Raises:
        Refused: the disk needs a new controller, and no PCI place is left.
    """

    def place_on(controller: etree._Element) -> Place | None:
        model = controller.get("model", "")
        if model == "none" or controller.find("master") is not None:
            return None
        bus = controller_index(controller)
        port = max((int(number) for number in _ports_in_use(root, bus)), default=0) + 1
        ports = controller.get("ports") if model.endswith("-xhci") else None
        last = int(ports or USB_PORTS.get(model, UHCI_PORTS))
        return Place(f"<address type='usb' bus='{bus}' port='{port}'/>") if port <= last else None

    return _on_last_controller(root, "usb", place_on) or _on_new_controller(root, "usb", "qemu-xhci")


def _ports_in_use(root: etree._Element, bus: int) -> list[str]:
    return [
        address.get("port", "0").split(".")[0]
        for address in devices_of(root).findall("*/address[@type='usb']")
        if address.get("bus") == str(bus)
    ]


def drop_disabled_usb(root: etree._Element) -> None:
    """Remove the controller of model 'none', which says that the domain has no USB."""
    for controller in controllers(root, "usb"):
        if controller.get("model") == "none":
            devices_of(root).remove(controller)


def _on_last_controller(
    root: etree._Element, kind: str, place_on: Callable[[etree._Element], Place | None]
) -> Place | None:
    """Return a place on the last controller that has a free one, in the order in which Linux finds controllers.

    Return None if a later controller has disks: Linux would name the new disk before those disks. A virtio-scsi
    controller comes after every other model, wherever it sits: its driver waits for the device that virtio_pci makes of
    the function.
    """

    def order(controller: etree._Element) -> tuple[bool, int]:
        return controller.get("model") in VIRTIO_SCSI, position(root, controller)

    for controller in sorted(controllers(root, kind), key=order, reverse=True):
        place = place_on(controller)
        if place is not None:
            return place
        if _has_disks(root, kind, controller_index(controller)):
            return None
    return None


def position(root: etree._Element, controller: etree._Element) -> int:
    """Return a controller's position in the order in which Linux finds PCI functions; -1 for the chipset's own."""
    address = PciAddress.of(controller)
    return -1 if address is None else guest_functions(root)[address].position


def _sata_disks_after(root: etree._Element, controller: etree._Element) -> bool:
    here = position(root, controller)
    return any(
        position(root, other) > here and _has_disks(root, "sata", controller_index(other))
        for other in controllers(root, "sata")
    )


def _on_new_controller(root: etree._Element, kind: str, model: str | None = None) -> Place:
    place = pci_place(root)
    index = (
        max(
            (controller_index(controller) for controller in controllers(root, kind) if _is_there(controller)),
            default=-1,
        )
        + 1
    )
    model_attribute = f" model='{model}'" if model else ""
    controller = f"<controller type='{kind}' index='{index}'{model_attribute}>{place.address}</controller>"
    if kind == "usb":
        address = f"<address type='usb' bus='{index}' port='1'/>"
    else:
        address = DriveAddress(index, 0, 0, 0).as_xml()
    return Place(address, (*place.controllers, controller))


def _is_there(controller: etree._Element) -> bool:
    return controller.get("model") != "none"


def _has_disks(root: etree._Element, kind: str, index: int) -> bool:
    if kind != "usb":
        return bool(_drives_on(root, kind, index))
    return any(disk.find(f"address[@type='usb'][@bus='{index}']") is not None for disk in disks_of(root))


def _drives_on(root: etree._Element, kind: str, index: int) -> list[DriveAddress]:
    return [
        address
        for disk in disks_of(root)
        if disk_target(disk)[1] == kind
        and (address := DriveAddress.of(disk)) is not None
        and address.controller == index
    ]
