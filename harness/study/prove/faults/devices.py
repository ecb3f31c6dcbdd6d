"""Faults of devices other than disks: controllers, network interfaces, the tablet, the balloon."""

from __future__ import annotations

import copy

from lxml import etree

from harness.domain.addresses.pci_places import pci_place
from harness.domain.xml import PciAddress, controllers
from harness.scenario.words import ClaimName
from harness.study.prove.faults.draft import Draft, NotApplicable, child, drop_addresses
from harness.study.prove.faults.fault import Edit, Fault

_OTHER_SCSI_MODEL = {"virtio-scsi": "vmpvscsi"}
_OTHER_TPM_MODEL = {"tpm-crb": "tpm-tis"}
_OTHER_VIDEO_MODEL = {"virtio": "vga"}
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
    if controller.get("model") == "none" or controller in draft.brought_controllers():
        raise NotApplicable("no USB controller but the rescue disk's own")
    controller.set("model", "nec-xhci" if controller.get("model") != "nec-xhci" else "qemu-xhci")


def _mac(draft: Draft) -> None:
    child(draft.one("devices/interface"), "mac").set("address", "52:54:00:00:00:01")


def _nic_twice(draft: Draft) -> None:
    twin = copy.deepcopy(draft.one("devices/interface"))
    drop_addresses([twin])
    for alias in twin.findall("alias"):
        twin.remove(alias)
    draft.devices.append(twin)


def _nic_model(draft: Draft) -> None:
    model = child(draft.one("devices/interface"), "model")
    model.set("type", _OTHER_NIC_MODEL.get(model.get("type", ""), "e1000"))


def _tpm_model(draft: Draft) -> None:
    tpm = draft.one("devices/tpm")
    tpm.set("model", _OTHER_TPM_MODEL.get(tpm.get("model", ""), "tpm-crb"))


def _tpm_secret(draft: Draft) -> None:
    backend = draft.one("devices/tpm/backend")
    backend.remove(child(backend, "encryption"))


def _video_model(draft: Draft) -> None:
    video = draft.one("devices/video")
    old = child(video, "model").get("type", "")
    video.replace(child(video, "model"), etree.Element("model", type=_OTHER_VIDEO_MODEL.get(old, "virtio")))


def _vsock_address_left_to_libvirt(draft: Draft) -> None:
    cid = child(draft.one("devices/vsock"), "cid")
    cid.attrib.clear()
    cid.set("auto", "yes")


def _vsock_address(draft: Draft) -> None:
    child(draft.one("devices/vsock"), "cid").attrib.update({"auto": "no", "address": "77"})


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
        "network-interface-twice",
        "the network interface is there a second time, with the same MAC address",
        ClaimName.OTHER_HARDWARE,
        rescued=_nic_twice,
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
    Fault(
        "tpm-missing", "the TPM is left out of the rescue", ClaimName.OTHER_HARDWARE, rescued=_without("devices/tpm")
    ),
    Fault("another-tpm", "the TPM is of another model", ClaimName.OTHER_HARDWARE, rescued=_tpm_model),
    Fault(
        "tpm-not-encrypted",
        "the TPM's state is no longer taken for encrypted",
        ClaimName.OTHER_HARDWARE,
        rescued=_tpm_secret,
    ),
    Fault(
        "share-missing",
        "the share of a host folder is left out of the rescue",
        ClaimName.OTHER_HARDWARE,
        rescued=_without("devices/filesystem"),
    ),
    Fault(
        "graphics-card-missing",
        "the graphics card is left out of the rescue",
        ClaimName.OTHER_HARDWARE,
        rescued=_without("devices/video"),
    ),
    Fault(
        "another-graphics-card",
        "the graphics card is of another model",
        ClaimName.OTHER_HARDWARE,
        rescued=_video_model,
    ),
    Fault(
        "vsock-missing",
        "the vsock device is left out of the rescue",
        ClaimName.OTHER_HARDWARE,
        rescued=_without("devices/vsock"),
    ),
    Fault(
        "vsock-moved",
        "the vsock device is in another slot",
        ClaimName.OTHER_HARDWARE,
        rescued=_to_a_free_slot("devices/vsock"),
    ),
    Fault(
        "another-vsock-address",
        "the instance has another address (CID) on its vsock",
        ClaimName.OTHER_HARDWARE,
        rescued=_vsock_address,
    ),
    Fault(
        "vsock-address-left-to-libvirt",
        "libvirt chooses the address (CID) on the vsock anew at the rescue's start",
        ClaimName.OTHER_HARDWARE,
        rescued=_vsock_address_left_to_libvirt,
    ),
)
