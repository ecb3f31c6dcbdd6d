from __future__ import annotations

import pytest
from lxml import etree

from harness.domain.addresses.free_addresses import sata_place, scsi_place, usb_place
from harness.domain.xml import address_text
from harness.errors import Refused

from ...support.domains import PC, Q35, SATA_ON_Q35, USB_ON_PC, bridge, controller, device, devices, disk, domain

XHCI = controller("usb", "qemu-xhci", 0, "00:03.0")
XHCI_15 = XHCI.replace("model=", "ports='15' model=")


def scsi(index: int, at: str, model: str = "virtio-scsi") -> str:
    return controller("scsi", model, index, at)


def sata(index: int, at: str) -> str:
    return controller("sata", None, index, at)


def drive(address: str) -> str:
    return address_text(etree.fromstring(f"<disk>{address}</disk>"))


def added(controllers: tuple[str, ...]) -> list[str]:
    elements = [etree.fromstring(text) for text in controllers]
    return [f"{element.get('model', element.get('type'))} {element.get('index')}" for element in elements]


SCSI: dict[str, tuple[list[str], str, list[str]]] = {
    "no-controller": ([], "drive 0:0:0:0", ["virtio-scsi 0"]),
    "target-of-its-own": ([scsi(0, "00:03.0"), disk("scsi", "0:0:5")], "drive 0:0:1:0", []),
    "never-in-a-gap": (
        [scsi(0, "00:03.0"), disk("scsi", "0:0:0"), disk("scsi", "0:4:0")],
        "drive 0:0:5:0",
        [],
    ),
    "last-of-two-controllers": (
        [scsi(0, "00:03.0"), scsi(1, "00:04.0"), disk("scsi", "0:6:0"), disk("scsi", "1:0:0")],
        "drive 1:0:1:0",
        [],
    ),
    "last-is-by-slot-and-not-by-index": (
        [scsi(0, "00:09.0"), scsi(1, "00:04.0"), disk("scsi", "0:0:0"), disk("scsi", "1:0:0")],
        "drive 0:0:1:0",
        [],
    ),
    "behind-a-bridge-is-later-than-on-the-root-bus": (
        [
            bridge("pci-bridge", 1, "00:02.0"),
            *(scsi(0, "01:01.0"), scsi(1, "00:1f.0")),
            *(disk("scsi", "0:0:0"), disk("scsi", "1:0:0")),
        ],
        "drive 0:0:1:0",
        [],
    ),
    "empty-last-controller": (
        [scsi(0, "00:03.0"), scsi(1, "00:04.0"), disk("scsi", "0:0:0")],
        "drive 1:0:0:0",
        [],
    ),
    "last-of-another-model": (
        [
            *(scsi(0, "00:03.0", "lsilogic"), scsi(1, "00:04.0", "lsisas1068")),
            *(disk("scsi", "0:0:0"), disk("scsi", "1:0:0")),
        ],
        "drive 1:0:1:0",
        [],
    ),
    "virtio-comes-after-every-other-model": (
        [scsi(0, "00:03.0"), scsi(1, "00:04.0", "lsilogic"), disk("scsi", "0:0:0"), disk("scsi", "1:0:0")],
        "drive 0:0:1:0",
        [],
    ),
    "full-last-controller-leaves-no-room-on-the-first": (
        [
            *(scsi(0, "00:03.0", "lsisas1068"), scsi(1, "00:04.0", "lsilogic")),
            *(disk("scsi", "0:0:0"), disk("scsi", "1:0:6")),
        ],
        "drive 2:0:0:0",
        ["virtio-scsi 2"],
    ),
    "full-target-range": ([scsi(0, "00:03.0"), disk("scsi", "0:255:0")], "drive 1:0:0:0", ["virtio-scsi 1"]),
    "virtio-by-its-newer-name": (
        [scsi(0, "00:03.0", "virtio-non-transitional"), disk("scsi", "0:0:0")],
        "drive 0:0:1:0",
        [],
    ),
}


@pytest.mark.parametrize("name", SCSI)
def test_scsi_disk_comes_after_those_of_every_controller(name: str) -> None:
    elements, expected, new = SCSI[name]
    place = scsi_place(domain(PC, USB_ON_PC, *elements), uefi=False)
    assert (drive(place.address), added(place.controllers)) == (expected, new)


@pytest.mark.parametrize(
    ("model", "expected", "new"),
    [
        pytest.param("virtio-scsi", "drive 1:0:0:0", [], id="bootable"),
        pytest.param("lsilogic", "drive 2:0:0:0", ["virtio-scsi 2"], id="not-bootable"),
    ],
)
def test_uefi_takes_a_controller_that_ovmf_boots_from(model: str, expected: str, new: list[str]) -> None:
    two = [scsi(0, "00:03.0", "lsilogic"), scsi(1, "00:04.0", model), disk("scsi", "0:0:0")]
    place = scsi_place(domain(PC, *two), uefi=True)
    assert (drive(place.address), added(place.controllers)) == (expected, new)


SATA: dict[str, tuple[list[str], str, list[str]]] = {
    "next-port": ([SATA_ON_Q35, disk("sata", "0:0:0"), disk("sata", "0:0:3")], "drive 0:0:0:4", []),
    "second-controller": (
        [SATA_ON_Q35, bridge("pcie-root-port", 1, "00:01.0"), sata(1, "01:00.0"), disk("sata", "1:0:0")],
        "drive 1:0:0:1",
        [],
    ),
    "full": (
        [SATA_ON_Q35, bridge("pcie-root-port", 1, "00:01.0"), disk("sata", "0:0:5")],
        "drive 1:0:0:0",
        ["sata 1"],
    ),
    "second-is-full-and-the-first-is-not": (
        [SATA_ON_Q35, bridge("pcie-root-port", 1, "00:01.0"), sata(1, "01:00.0"), disk("sata", "1:0:5")],
        "drive 2:0:0:0",
        ["pcie-root-port 2", "sata 2"],
    ),
}


@pytest.mark.parametrize("name", SATA)
def test_sata_disk_comes_after_those_of_every_controller(name: str) -> None:
    elements, expected, new = SATA[name]
    place = sata_place(domain(Q35, *elements))
    assert (drive(place.address), added(place.controllers)) == (expected, new)


USB: dict[str, tuple[list[str], str, list[str]]] = {
    "next-port": ([XHCI, disk("usb", "0.2")], "USB bus 0 port 3", []),
    "xhci-has-four-ports-unless-it-says-otherwise": ([XHCI, disk("usb", "0.4")], "USB bus 1 port 1", ["qemu-xhci 1"]),
    "xhci-with-more-ports": ([XHCI_15, disk("usb", "0.4")], "USB bus 0 port 5", []),
    "hub-keeps-its-port": (
        [XHCI, "<hub type='usb'><address type='usb' bus='0' port='1'/></hub>", disk("usb", "0.1.3")],
        "USB bus 0 port 2",
        [],
    ),
    "second-controller": (
        [XHCI, controller("usb", "qemu-xhci", 1, "00:04.0"), disk("usb", "0.1"), disk("usb", "1.1")],
        "USB bus 1 port 2",
        [],
    ),
    "full-second-controller-without-disks": (
        [
            *(XHCI, controller("usb", "piix3-uhci", 1, "00:04.0")),
            *(disk("usb", "0.1"), "<input type='tablet' bus='usb'><address type='usb' bus='1' port='2'/></input>"),
        ],
        "USB bus 0 port 2",
        [],
    ),
    "full-second-controller-with-disks": (
        [XHCI, controller("usb", "piix3-uhci", 1, "00:04.0"), disk("usb", "1.2")],
        "USB bus 2 port 1",
        ["qemu-xhci 2"],
    ),
    "companions-share-the-ports-of-their-master": (
        [
            controller("usb", "ich9-ehci1", 0, "00:03.7"),
            controller("usb", "ich9-uhci1", 0, "00:03.0", inner="<master startport='0'/>"),
            disk("usb", "0.1"),
        ],
        "USB bus 0 port 2",
        [],
    ),
    "usb-switched-off": ([controller("usb", "none", 0)], "USB bus 0 port 1", ["qemu-xhci 0"]),
}


@pytest.mark.parametrize("name", USB)
def test_usb_stick_comes_after_those_of_every_controller(name: str) -> None:
    elements, expected, new = USB[name]
    place = usb_place(domain(PC, *elements))
    assert (drive(place.address), added(place.controllers)) == (expected, new)


def test_new_controller_brings_the_bridge_it_needs() -> None:
    place = scsi_place(domain(PC, USB_ON_PC, device("00:02.0"), device("00:1f.0")), uefi=False)
    assert added(place.controllers) == ["pci-bridge 1", "virtio-scsi 0"]


def test_new_controller_without_a_place_is_refused() -> None:
    full = [*devices(0, range(2, 0x1F)), bridge("pci-bridge", 1, "00:1f.0"), *devices(1, range(1, 0x20))]
    with pytest.raises(Refused, match="PCI buses are full"):
        sata_place(domain(PC, *full))
