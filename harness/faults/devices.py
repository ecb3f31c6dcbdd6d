"""Faults of what is no disk: controllers, network interfaces, the tablet, the balloon."""

from __future__ import annotations

from lxml import etree

from harness.domain.pci_places import pci_place
from harness.domain.xml import PciAddress, controllers
from harness.faults.draft import Draft, NotApplicable, child, drop_addresses
from harness.faults.fault import Edit, Fault
from harness.scenario.words import ClaimName

_OTHER_SCSI_MODEL = {"virtio-scsi": "vmpvscsi"}
_OTHER_NIC_MODEL = {"e1000": "rtl8139"}


def _without(path: str) -> Edit:
    return lambda draft: draft.devices.remove(draft.one(path))


def _to_a_free_slot(path: str) -> Edit:
    def edit(draft: Draft) -> None:
        device = draft.one(path)
        place = pci_place(draft.root)
        drop_addresses([device])
        device.append(etree.fromstring(place.address))
        draft.devices.extend(etree.fromstring(controller) for controller in place.controllers)

    return edit


def _tablet_moved(draft: Draft) -> None:
    address = child(draft.one("devices/input[@type='tablet']"), "address[@type='usb']")
    taken = {each.get("port") for each in draft.root.iterfind("devices/*/address[@type='usb']")}
    address.set("port", next(port for port in ("1", "2", "3", "4") if port not in taken))


def _acpi_index(draft: Draft) -> None:
    etree.SubElement(draft.one("devices/interface"), "acpi", index="7")


def _needless_controller(draft: Draft) -> None:
    index = len(controllers(draft.root, "scsi"))
    etree.SubElement(draft.devices, "controller", type="scsi", index=str(index), model="virtio-scsi")


def _scsi_model(draft: Draft) -> None:
    controller = draft.one("devices/controller[@type='scsi']")
    if controller in draft.brought_controllers():
        raise NotApplicable("no SCSI controller but the rescue disk's own")
    model = controller.get("model", "")
    controller.set("model", _OTHER_SCSI_MODEL.get(model, "virtio-scsi"))


def _usb_model(draft: Draft) -> None:
    controller = draft.one("devices/controller[@type='usb']")
    if controller.get("model") == "none":
        raise NotApplicable("no USB controller")
    controller.set("model", "nec-xhci" if controller.get("model") != "nec-xhci" else "qemu-xhci")


def _mac(draft: Draft) -> None:
    child(draft.one("devices/interface"), "mac").set("address", "52:54:00:00:00:01")


def _nic_model(draft: Draft) -> None:
    model = child(draft.one("devices/interface"), "model")
    model.set("type", _OTHER_NIC_MODEL.get(model.get("type", ""), "e1000"))


def _slots_exchanged(draft: Draft) -> None:
    nic, balloon = draft.one("devices/interface"), draft.one("devices/memballoon")
    if PciAddress.of(nic) is None or PciAddress.of(balloon) is None:
        raise NotApplicable("no PCI addresses")
    of_nic, of_balloon = child(nic, "address"), child(balloon, "address")
    nic.append(of_balloon)
    balloon.append(of_nic)


DEVICE_FAULTS = (
    Fault(
        "needless-controller",
        "a SCSI controller that no disk is on comes with the rescue disk",
        ClaimName.OTHER_HARDWARE,
        rescued=_needless_controller,
    ),
    Fault(
        "another-scsi-controller",
        "a SCSI controller is of another model",
        ClaimName.OTHER_HARDWARE,
        rescued=_scsi_model,
    ),
    Fault(
        "another-usb-controller",
        "the USB controller is of another model",
        ClaimName.OTHER_HARDWARE,
        rescued=_usb_model,
    ),
    Fault(
        "another-mac-address",
        "the network interface has another MAC address",
        ClaimName.OTHER_HARDWARE,
        rescued=_mac,
    ),
    Fault(
        "another-network-card",
        "the network interface is of another model",
        ClaimName.OTHER_HARDWARE,
        rescued=_nic_model,
    ),
    Fault(
        "network-interface-moved",
        "the network interface is in another slot",
        ClaimName.OTHER_HARDWARE,
        rescued=_to_a_free_slot("devices/interface"),
    ),
    Fault(
        "network-interface-missing",
        "the network interface is left out of the rescue",
        ClaimName.OTHER_HARDWARE,
        rescued=_without("devices/interface"),
    ),
    Fault(
        "tablet-missing",
        "the USB tablet is left out of the rescue",
        ClaimName.OTHER_HARDWARE,
        rescued=_without("devices/input[@type='tablet']"),
    ),
    Fault(
        "tablet-moved",
        "the USB tablet is on another port",
        ClaimName.OTHER_HARDWARE,
        rescued=_tablet_moved,
    ),
    Fault(
        "onboard-index",
        "the network interface has an ACPI index, by which udev names it",
        ClaimName.OTHER_HARDWARE,
        rescued=_acpi_index,
    ),
    Fault(
        "balloon-moved",
        "the memory balloon is in another slot",
        ClaimName.OTHER_HARDWARE,
        rescued=_to_a_free_slot("devices/memballoon"),
    ),
    Fault(
        "slots-exchanged",
        "network interface and memory balloon have changed slots",
        ClaimName.OTHER_HARDWARE,
        rescued=_slots_exchanged,
    ),
)
