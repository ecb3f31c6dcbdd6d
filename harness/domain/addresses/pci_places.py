"""A PCI place for one more device that comes after everything a domain has, in the order in which Linux looks.

Linux adds all functions of a bus before it looks behind that bus's bridges (drivers/pci/probe.c,
pci_scan_child_bus_extend), and drivers meet devices in the order in which they were added (drivers/base/bus.c,
bus_for_each_dev). So a device behind a bridge comes after everything on the root bus. A new bridge may sit in a gap:
only the position of the devices behind it counts. The firmware numbers buses in the order of their bridges. So a new
bridge in front of a bridge with devices behind it would shift the addresses of those devices in the guest.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from harness.domain.addresses.pci_topology import guest_functions
from harness.domain.xml import PciAddress, controller_index, controllers, devices_of, pci_addresses
from harness.errors import Refused

SLOTS = range(0x20)
FUNCTIONS = range(8)
FIRST_SLOT = {"pci-root": 1, "pcie-to-pci-bridge": 1, "pci-bridge": 1, "dmi-to-pci-bridge": 0}
"""The first slot for devices on each conventional bus: the host bridge or the hotplug controller (SHPC) has slot 0."""
PORTS = ("pcie-root-port", "pcie-switch-downstream-port")
CHIPSET = {
    "pci-root": {PciAddress(0, 0), *(PciAddress(0, 1, function) for function in range(4))},
    "pcie-root": {PciAddress(0, 0), *(PciAddress(0, 0x1F, function) for function in (0, 2, 3))},
}
"""Functions that every pc (440FX, PIIX3) and q35 (MCH, ICH9) has, whether the XML names them or not."""


@dataclass(frozen=True)
class Place:
    """An ``<address/>`` and the controllers that must exist for it.

    ``target_index`` is set if the bus ties target names to places, as IDE does: hdc is the secondary master.
    """

    address: str
    controllers: tuple[str, ...] = ()
    target_index: int | None = None


def pci_place(root: etree._Element) -> Place:
    """Return a PCI place after all others: a slot on pc, a root port on q35.

    If none of these is left, the place is behind a new bridge.

    Raises:
        Refused: behind the last device there is no free place, neither for a device nor for a bridge; or the domain has
            an expander bus.
    """
    buses = {controller_index(bus): bus.get("model", "") for bus in controllers(root, "pci")}
    expanders = [model for model in buses.values() if model.endswith("expander-bus")]
    if expanders:
        raise Refused(f"a {expanders[0]} is a PCI root of its own: what comes last is up to the guest's ACPI order")
    for place in _candidates(root, buses):
        if _comes_last(root, place):
            return place
    if "pcie-root" in buses.values():
        raise Refused("the PCI Express root bus is full: it has no free function for a root port behind the last one")
    raise Refused("the PCI buses are full: behind the last device there is no free slot, nor one for another bridge")


def _candidates(root: etree._Element, buses: dict[int, str]) -> Iterator[Place]:
    """Yield the free places; places that need the fewest new controllers come first."""
    taken = {address for _, address in pci_addresses(root)} | CHIPSET[buses.get(0, "pci-root")]
    used_buses = {address.bus for address in taken}
    conventional = {index: FIRST_SLOT[model] for index, model in buses.items() if model in FIRST_SLOT}
    new_index = max(buses, default=0) + 1
    for index, model in buses.items():
        if model in PORTS and index not in used_buses:
            yield Place(PciAddress(index, 0).as_xml())
    if buses.get(0) == "pcie-root":
        for address in _root_port_functions(root, taken):
            yield _behind_new("pcie-root-port", address, new_index, PciAddress(new_index, 0))
    for index, first in conventional.items():
        for slot in _free_slots(index, first, taken):
            yield Place(PciAddress(index, slot).as_xml())
    for index, first in conventional.items():
        for slot in _free_slots(index, first, taken):
            yield _behind_new("pci-bridge", PciAddress(index, slot), new_index, PciAddress(new_index, 1))
    if buses.get(0, "pci-root") == "pci-root":
        for address in _functions_beside(PciAddress(0, 1), taken):
            yield _behind_new("pci-bridge", address, new_index, PciAddress(new_index, 1))


def _free_slots(bus: int, first: int, taken: set[PciAddress]) -> Iterator[int]:
    slots = {address.slot for address in taken if address.bus == bus}
    return (slot for slot in SLOTS[first:] if slot not in slots)


def _root_port_functions(root: etree._Element, taken: set[PciAddress]) -> Iterator[PciAddress]:
    """Yield the free functions of the root bus: beside other root ports, in empty slots, and beside the ICH9's."""
    shared = {
        address.slot
        for element, address in pci_addresses(root)
        if address.bus == 0
        and address.function == 0
        and element.get("model") == "pcie-root-port"
        and element.find("address").get("multifunction") == "on"  # type: ignore[union-attr]
    }
    free = set(_free_slots(0, 1, taken))
    for slot in SLOTS:
        if slot in free:
            yield PciAddress(0, slot)
        elif slot in {*shared, 0x1F}:
            yield from _functions_beside(PciAddress(0, slot), taken)


def _functions_beside(first: PciAddress, taken: set[PciAddress]) -> Iterator[PciAddress]:
    functions = (PciAddress(first.bus, first.slot, function) for function in FUNCTIONS)
    return (address for address in functions if address not in taken)


def _behind_new(model: str, address: PciAddress, index: int, place: PciAddress) -> Place:
    """Return a place behind a new controller; a root port in an empty slot leaves room for other root ports there."""
    shared = " multifunction='on'" if model == "pcie-root-port" and address.function == 0 else ""
    controller = (
        f"<controller type='pci' index='{index}' model='{model}'>"
        f"{address.as_xml().removesuffix('/>')}{shared}/></controller>"
    )
    return Place(place.as_xml(), (controller,))


def _comes_last(root: etree._Element, place: Place) -> bool:
    """Tell whether Linux finds a device at ``place`` after all others, and all others keep their guest addresses."""
    trial = deepcopy(root)
    device = etree.fromstring(f"<disk>{place.address}</disk>")
    devices_of(trial).extend([*(etree.fromstring(controller) for controller in place.controllers), device])
    before, after = guest_functions(root), guest_functions(trial)
    devices = (address for element, address in pci_addresses(trial) if not _is_bridge(element))
    last = max(devices, key=lambda address: after[address].position)
    return last == PciAddress.of(device) and all(after[at].path == function.path for at, function in before.items())


def _is_bridge(element: etree._Element) -> bool:
    return element.tag == "controller" and element.get("type") == "pci"
