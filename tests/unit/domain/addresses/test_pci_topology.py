"""The firmware's bus numbers and Linux's order, from functions that are plugged into buses without numbers."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import pytest

from harness.domain.addresses.pci_topology import GuestFunction, PluggedFunction, guest_functions, in_the_guest
from harness.domain.xml import PciAddress, parse_domain

SAMPLES = Path(__file__).parents[3] / "samples"
ROOT = "pcie.0"

DISK_ON_ROOT = PluggedFunction(ROOT, 4, 0)
FIRST_PORT = PluggedFunction(ROOT, 2, 0, behind="pci.1")
EMPTY_PORT = PluggedFunction(ROOT, 2, 1, behind="pci.2")
BRIDGE = PluggedFunction("pci.1", 0, 0, behind="pci.3")
NIC_BEHIND_BRIDGE = PluggedFunction("pci.3", 1, 0)
LAST_PORT = PluggedFunction(ROOT, 3, 0, behind="pci.4")
DISK_BEHIND_LAST_PORT = PluggedFunction("pci.4", 0, 0)
TREE = (
    DISK_ON_ROOT,
    DISK_BEHIND_LAST_PORT,
    NIC_BEHIND_BRIDGE,
    LAST_PORT,
    EMPTY_PORT,
    BRIDGE,
    FIRST_PORT,
)


def paths(functions: tuple[PluggedFunction, ...]) -> dict[PluggedFunction, str]:
    return {plugged: "/".join(seen.path) for plugged, seen in in_the_guest(functions, ROOT).items()}


@pytest.mark.parametrize(
    ("plugged", "path"),
    [
        pytest.param(DISK_ON_ROOT, "0000:00:04.0", id="on the root bus"),
        pytest.param(BRIDGE, "0000:00:02.0/0000:01:00.0", id="behind the first port"),
        pytest.param(NIC_BEHIND_BRIDGE, "0000:00:02.0/0000:01:00.0/0000:02:01.0", id="numbered before the next port"),
        pytest.param(DISK_BEHIND_LAST_PORT, "0000:00:03.0/0000:04:00.0", id="an empty port takes a number"),
    ],
)
def test_buses_are_numbered_depth_first_by_slot(plugged: PluggedFunction, path: str) -> None:
    assert paths(TREE)[plugged] == path


def test_a_bus_is_found_whole_before_what_is_behind_it() -> None:
    assert list(in_the_guest(TREE, ROOT)) == [
        FIRST_PORT,
        EMPTY_PORT,
        LAST_PORT,
        DISK_ON_ROOT,
        BRIDGE,
        NIC_BEHIND_BRIDGE,
        DISK_BEHIND_LAST_PORT,
    ]
    assert [seen.position for seen in in_the_guest(TREE, ROOT).values()] == list(range(len(TREE)))


def test_neither_order_nor_names_of_buses_count() -> None:
    numbered: dict[Hashable, int] = {ROOT: 0, "pci.1": 7, "pci.2": 6, "pci.3": 5, "pci.4": 1}
    renamed = tuple(
        PluggedFunction(
            numbered[each.bus], each.slot, each.function, None if each.behind is None else numbered[each.behind]
        )
        for each in reversed(TREE)
    )
    assert list(in_the_guest(renamed, 0).values()) == list(in_the_guest(TREE, ROOT).values())


def test_what_no_bridge_leads_to_is_left_out() -> None:
    assert PluggedFunction("pci.9", 0, 0) not in in_the_guest((*TREE, PluggedFunction("pci.9", 0, 0)), ROOT)


@pytest.mark.parametrize(
    ("bus", "slot", "function", "path"),
    [
        pytest.param(0, 0x1F, 2, "0000:00:1f.2", id="sata"),
        pytest.param(1, 0, 0, "0000:00:01.0/0000:01:00.0", id="pcie-to-pci-bridge"),
        pytest.param(4, 1, 0, "0000:00:01.0/0000:01:00.0/0000:02:01.0", id="usb behind the bridge, libvirt's bus 4"),
        pytest.param(2, 0, 0, "0000:00:01.1/0000:03:00.0", id="nic, libvirt's bus 2"),
        pytest.param(5, 0, 0, "0000:00:01.3/0000:05:00.0", id="root disk"),
    ],
)
def test_a_domain_is_read_by_the_indices_of_its_controllers(bus: int, slot: int, function: int, path: str) -> None:
    domain = parse_domain((SAMPLES / "live-q35.xml").read_text())
    seen = guest_functions(domain)[PciAddress(bus, slot, function)]
    assert isinstance(seen, GuestFunction)
    assert "/".join(seen.path) == path
