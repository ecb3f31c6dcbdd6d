"""Places for one more device that come after everything a domain has, in the order in which firmware and Linux look.

Linux names virtio disks by PCI order and SCSI disks by host, then target; a device in a gap would take a name in a
gap. So nothing here ever fills one.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from harness.domain.xml import (
    DriveAddress,
    PciAddress,
    controllers,
    devices_of,
    disk_target,
    disks_of,
    pci_addresses,
)
from harness.errors import Refused

LAST_SLOT = 0x1F
SATA_PORTS = 6
IDE_PLACES = tuple(DriveAddress(0, bus, 0, unit) for bus in (0, 1) for unit in (0, 1))
FLOPPY_DRIVES = 2
UHCI_PORTS = 2
USB_PORTS = {"piix3-uhci": UHCI_PORTS, "piix4-uhci": UHCI_PORTS, "qemu-xhci": 15, "nec-xhci": 15, "ich9-ehci1": 6}
LSILOGIC_IDS = range(7)
"""A narrow bus has eight ids, and the controller itself is the last; QEMU's lsi53c895a takes no more."""
SCSI_TARGETS = {"virtio-scsi": 256, "lsisas1068": 8, "lsisas1078": 128, "vmpvscsi": 64}
"""Targets of QEMU's controllers: virtio-scsi (libvirt's limit), MPTSAS_NUM_PORTS, MFI_MAX_LD, PVSCSI_MAX_DEVS."""


@dataclass(frozen=True)
class Place:
    """An ``<address/>`` and the controllers that must exist for it.

    ``target_index`` is set where the bus ties target names to places, as IDE does: hdc is the secondary master.
    """

    address: str
    controllers: tuple[str, ...] = ()
    target_index: int | None = None


def pci_place(root: etree._Element) -> Place:
    """A PCI place after all others: a slot of the root bus on pc, a root port on q35.

    Raises:
        Refused: the bus is full behind the last device.
    """
    return _root_port_place(root) if _has_pcie(root) else _conventional_place(root)


def _has_pcie(root: etree._Element) -> bool:
    return any(controller.get("model") == "pcie-root" for controller in controllers(root, "pci"))


def _conventional_place(root: etree._Element) -> Place:
    slot = max((address.slot for _, address in pci_addresses(root) if address.bus == 0), default=0) + 1
    if slot > LAST_SLOT:
        raise Refused("the PCI bus has no slot behind the last device, and a gap would rename the disks after it")
    return Place(PciAddress(0, slot).as_xml())


def _root_port_place(root: etree._Element) -> Place:
    ports = sorted(
        (address, int(controller.get("index", "0")))
        for controller in controllers(root, "pci")
        if controller.get("model") == "pcie-root-port" and (address := PciAddress.of(controller)) is not None
    )
    used_buses = {address.bus for _, address in pci_addresses(root)}
    last_used = max((position for position, (_, index) in enumerate(ports) if index in used_buses), default=-1)
    if last_used + 1 < len(ports):
        return Place(PciAddress(ports[last_used + 1][1], 0).as_xml())
    index = max(int(controller.get("index", "0")) for controller in controllers(root, "pci")) + 1
    port = _next_root_port(root, [address for address, _ in ports])
    multifunction = " multifunction='on'" if port.function == 0 else ""
    controller = (
        f"<controller type='pci' index='{index}' model='pcie-root-port'>"
        f"{port.as_xml().replace('/>', multifunction + '/>')}</controller>"
    )
    return Place(PciAddress(index, 0).as_xml(), (controller,))


def _next_root_port(root: etree._Element, ports: list[PciAddress]) -> PciAddress:
    on_root_bus = {address for _, address in pci_addresses(root) if address.bus == 0}
    last = max(ports, default=PciAddress(0, 0))
    if ports and last.function < 7 and _is_multifunction(root, last.slot):
        return PciAddress(0, last.slot, last.function + 1)
    taken = {address.slot for address in on_root_bus}
    slot = next((slot for slot in range(last.slot + 1, LAST_SLOT) if slot not in taken), None)
    if slot is None:
        raise Refused("the PCI Express root bus has no slot for another root port behind the last one")
    return PciAddress(0, slot)


def _is_multifunction(root: etree._Element, slot: int) -> bool:
    first = PciAddress(0, slot)
    return any(
        address == first and element.find("address").get("multifunction") == "on"  # type: ignore[union-attr]
        for element, address in pci_addresses(root)
    )


def scsi_place(root: etree._Element, *, uefi: bool) -> Place:
    """A target of its own behind the last one; LUN 0, for Linux lists a target's newest LUN first.

    An existing controller serves if the firmware can boot from it: OVMF only from virtio-scsi. Otherwise a virtio-scsi
    controller comes along.
    """
    existing = controllers(root, "scsi")
    for controller in reversed(existing):
        model = controller.get("model", "lsilogic")
        index = int(controller.get("index", "0"))
        if model == "virtio-scsi" or not uefi:
            place = _on_scsi_controller(root, index, model)
            if place is not None:
                return place
    index = max((int(controller.get("index", "0")) for controller in existing), default=-1) + 1
    place = pci_place(root)
    controller_xml = f"<controller type='scsi' index='{index}' model='virtio-scsi'>{place.address}</controller>"
    return Place(DriveAddress(index, 0, 0, 0).as_xml(), (*place.controllers, controller_xml))


def _on_scsi_controller(root: etree._Element, index: int, model: str) -> Place | None:
    used = [
        address
        for disk in disks_of(root)
        if disk_target(disk)[1] == "scsi"
        and (address := DriveAddress.of(disk)) is not None
        and address.controller == index
    ]
    if model == "lsilogic":
        last_unit = max((address.unit for address in used), default=-1)
        unit = next((unit for unit in LSILOGIC_IDS if unit > last_unit), None)
        return None if unit is None else Place(DriveAddress(index, 0, 0, unit).as_xml())
    target = max((address.target for address in used), default=-1) + 1
    return None if target >= SCSI_TARGETS.get(model, 1) else Place(DriveAddress(index, 0, target, 0).as_xml())


def sata_place(root: etree._Element) -> Place:
    """The port behind the last one in use, on a new AHCI controller where there is none or it is full."""
    used = [address for disk in disks_of(root) if disk_target(disk)[1] == "sata" and (address := DriveAddress.of(disk))]
    existing = controllers(root, "sata")
    if existing:
        index = int(existing[-1].get("index", "0"))
        unit = max((address.unit for address in used if address.controller == index), default=-1) + 1
        if unit < SATA_PORTS:
            return Place(DriveAddress(index, 0, 0, unit).as_xml())
    index = len(existing)
    place = pci_place(root)
    controller = f"<controller type='sata' index='{index}'>{place.address}</controller>"
    return Place(DriveAddress(index, 0, 0, 0).as_xml(), (*place.controllers, controller))


def ide_place(root: etree._Element) -> Place:
    """A place behind the last one in use, on a channel of its own if there is one.

    Beside another disk on its channel it would claim that disk's link: udev's compatibility link pci-...-ata-N names
    the channel alone (systemd, udev-builtin-path_id.c, handle_scsi_ata).

    Raises:
        Refused: the secondary slave is taken, so that only a gap, if anything, is free.
    """
    used = [address for disk in disks_of(root) if disk_target(disk)[1] == "ide" and (address := DriveAddress.of(disk))]
    last = max((IDE_PLACES.index(address) for address in used), default=-1)
    if last + 1 == len(IDE_PLACES):
        raise Refused("the IDE bus has no place behind its last disk: it has four in all")
    busy = {address.bus for address in used}
    place = next((place for place in IDE_PLACES[last + 1 :] if place.bus not in busy), IDE_PLACES[last + 1])
    return Place(place.as_xml(), target_index=IDE_PLACES.index(place))


def floppy_place(root: etree._Element) -> Place:
    """The next floppy drive.

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
    """The port behind the last one in use, on a new xHCI controller where there is none or it is full."""
    existing = controllers(root, "usb")
    usable = [controller for controller in existing if controller.get("model") != "none"]
    masters = [controller for controller in usable if controller.find("master") is None]
    for controller in masters[-1:]:
        bus = int(controller.get("index", "0"))
        port = max((int(number) for number in _ports_in_use(root, bus)), default=0) + 1
        if port <= int(controller.get("ports", USB_PORTS.get(controller.get("model", ""), UHCI_PORTS))):
            return Place(f"<address type='usb' bus='{bus}' port='{port}'/>")
    index = max((int(controller.get("index", "0")) for controller in usable), default=-1) + 1
    place = pci_place(root)
    controller_xml = f"<controller type='usb' index='{index}' model='qemu-xhci'>{place.address}</controller>"
    return Place(f"<address type='usb' bus='{index}' port='1'/>", (*place.controllers, controller_xml))


def _ports_in_use(root: etree._Element, bus: int) -> list[str]:
    return [
        address.get("port", "0").split(".")[0]
        for address in devices_of(root).findall("*/address[@type='usb']")
        if address.get("bus") == str(bus)
    ]


def drop_disabled_usb(root: etree._Element) -> None:
    """Take out the controller of model 'none', which says that the domain has no USB."""
    for controller in controllers(root, "usb"):
        if controller.get("model") == "none":
            devices_of(root).remove(controller)
