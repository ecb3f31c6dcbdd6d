from __future__ import annotations

from itertools import chain

import pytest
from lxml import etree

from harness.domain.addresses.pci_places import pci_place
from harness.domain.xml import PciAddress
from harness.errors import Refused

from ...support.domains import PC, Q35, SATA_ON_Q35, USB_ON_PC, bridge, device, devices, domain, pci_address

ON_PC = [PC, USB_ON_PC]
ON_Q35 = [Q35, SATA_ON_Q35]


def ports(count: int) -> list[str]:
    """As libvirt hands out root ports: eight a slot, from 00:01.0 on."""
    return [
        bridge("pcie-root-port", index + 1, f"00:{1 + index // 8:02x}.{index % 8}", multifunction=index % 8 == 0)
        for index in range(count)
    ]


def single_ports(*slots: int) -> list[str]:
    """Root ports that have a slot each to themselves."""
    return [bridge("pcie-root-port", index + 1, f"00:{slot:02x}.0") for index, slot in enumerate(slots)]


def behind_ports(*indices: int) -> list[str]:
    return [device(f"{index:02x}:00.0") for index in indices]


FULL_ROOT_BUS = devices(0, range(2, 0x20))
PLACES: dict[str, tuple[list[str], str, list[str]]] = {
    # pc; the rows with libvirt's name are what libvirt 9.0 made of that many virtio disks
    "behind-the-last-slot": ([*ON_PC, *devices(0, range(2, 9))], "00:09.0", []),
    "never-in-a-gap": ([*ON_PC, device("00:02.0"), device("00:09.0")], "00:0a.0", []),
    "before-a-bridge-with-nothing-behind": (
        [*ON_PC, device("00:02.0"), bridge("pci-bridge", 1, "00:08.0")],
        "00:03.0",
        [],
    ),
    "libvirt-28-disks": (
        [*ON_PC, bridge("pci-bridge", 1, "00:02.0"), *devices(0, range(3, 0x20))],
        "01:01.0",
        [],
    ),
    "libvirt-31-disks": (
        [*ON_PC, bridge("pci-bridge", 1, "00:02.0"), *devices(0, range(3, 0x20)), *devices(1, range(1, 5))],
        "01:05.0",
        [],
    ),
    "libvirt-61-disks": (
        [
            *ON_PC,
            *(bridge("pci-bridge", 1, "00:02.0"), bridge("pci-bridge", 2, "00:03.0")),
            *chain(devices(0, range(4, 0x20)), devices(1, range(1, 0x20)), devices(2, range(1, 5))),
        ],
        "02:05.0",
        [],
    ),
    "free-slots-before-the-bridge-in-use": (
        [*ON_PC, device("00:02.0"), bridge("pci-bridge", 1, "00:03.0"), device("01:04.0")],
        "01:05.0",
        [],
    ),
    "bridges-are-entered-in-the-order-of-their-slots": (
        [
            *ON_PC,
            *(bridge("pci-bridge", 1, "00:09.0"), bridge("pci-bridge", 2, "00:03.0")),
            *(device("01:01.0"), device("02:07.0")),
        ],
        "01:02.0",
        [],
    ),
    "last-bridge-full-and-an-empty-one-behind-it": (
        [
            *ON_PC,
            *(bridge("pci-bridge", 1, "00:03.0"), bridge("pci-bridge", 2, "00:04.0")),
            *(device("00:1f.0"), device("01:1f.0")),
        ],
        "02:01.0",
        [],
    ),
    "root-bus-full-at-its-end": (
        [*ON_PC, device("00:02.0"), device("00:1f.0")],
        "01:01.0",
        ["pci-bridge 1 at 00:03.0"],
    ),
    "new-bridge-behind-the-bridge-in-use": (
        [*ON_PC, bridge("pci-bridge", 1, "00:04.0"), device("00:1f.0"), device("01:1f.0")],
        "02:01.0",
        ["pci-bridge 2 at 00:05.0"],
    ),
    "new-bridge-in-a-gap-behind-the-bridge-in-use": (
        [*ON_PC, *devices(0, range(2, 0x1F)), bridge("pci-bridge", 1, "00:1f.0"), device("01:1f.0")],
        "02:01.0",
        ["pci-bridge 2 at 01:01.0"],
    ),
    "no-slot-left-on-the-root-bus": ([*ON_PC, *FULL_ROOT_BUS], "01:01.0", ["pci-bridge 1 at 00:01.4"]),
    # q35
    "port-that-libvirt-keeps-in-reserve": ([*ON_Q35, *ports(11), *behind_ports(*range(1, 11))], "0b:00.0", []),
    "first-port-behind-the-last-one-in-use": ([*ON_Q35, *ports(6), *behind_ports(1, 4)], "05:00.0", []),
    "next-function-of-the-last-slot": (
        [*ON_Q35, *ports(11), *behind_ports(*range(1, 12))],
        "0c:00.0",
        ["pcie-root-port 12 at 00:02.3"],
    ),
    "next-slot-with-room-for-seven-more": (
        [*ON_Q35, *ports(32), *behind_ports(*range(1, 33))],
        "21:00.0",
        ["pcie-root-port 33 at 00:05.0 multifunction"],
    ),
    "port-alone-in-its-slot": (
        [*ON_Q35, *single_ports(1, 2), *behind_ports(1, 2)],
        "03:00.0",
        ["pcie-root-port 3 at 00:03.0 multifunction"],
    ),
    "slots-in-use-are-passed-over": (
        [*ON_Q35, *single_ports(1), device("00:02.0"), *behind_ports(1)],
        "02:00.0",
        ["pcie-root-port 2 at 00:03.0 multifunction"],
    ),
    "device-on-the-root-bus-comes-before-every-port": (
        [*ON_Q35, *single_ports(1), device("00:1e.0")],
        "01:00.0",
        [],
    ),
    "ports-up-to-the-last-slot": (
        [*ON_Q35, *single_ports(*range(1, 0x1F)), *behind_ports(*range(1, 0x1F))],
        "1f:00.0",
        ["pcie-root-port 31 at 00:1f.1"],
    ),
    "old-usb-behind-a-conventional-bridge": (
        [
            *ON_Q35,
            *(*ports(2), bridge("pcie-to-pci-bridge", 3, "01:00.0")),
            *(device("02:00.0"), device("03:01.0")),
        ],
        "04:00.0",
        ["pcie-root-port 4 at 00:01.2"],
    ),
    "conventional-bridge-last-and-no-port-behind-it": (
        [
            *ON_Q35,
            *(bridge("pcie-root-port", 1, "00:1f.7"), bridge("pcie-to-pci-bridge", 2, "01:00.0")),
            *(device("00:1d.0"), device("02:01.0")),
        ],
        "02:02.0",
        [],
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_place_is_the_next_behind_all_devices(name: str) -> None:
    elements, expected, new = PLACES[name]
    place = pci_place(domain(*elements))
    assert place.address == pci_address(expected).as_xml()
    assert [described(controller) for controller in place.controllers] == new


def described(controller: str) -> str:
    element = etree.fromstring(controller)
    address = PciAddress.of(element)
    shared = element.find("address[@multifunction='on']") is not None
    at = str(address).removeprefix("0000:")
    return f"{element.get('model')} {element.get('index')} at {at}{' multifunction' if shared else ''}"


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        pytest.param(
            [
                *ON_PC,
                *(bridge("pci-bridge", 1, "00:1f.0"), *devices(1, range(1, 0x20))),
                *devices(0, range(2, 0x1F)),
            ],
            "PCI buses are full",
            id="last-bridge-full-and-nothing-behind-it",
        ),
        pytest.param(
            [
                *ON_Q35,
                *(bridge("pcie-root-port", 1, "00:1f.7"), device("01:00.0")),
            ],
            "PCI Express root bus is full",
            id="port-in-the-very-last-function",
        ),
        pytest.param([*ON_PC, bridge("pci-expander-bus", 1, "00:03.0")], "PCI root of its own", id="second-root-bus"),
    ],
)
def test_nothing_behind_the_last_device_is_refused_with_what_is_full(elements: list[str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        pci_place(domain(*elements))
