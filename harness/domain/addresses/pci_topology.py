"""The PCI tree of a domain as its guest will see it: bus numbers, and the order in which Linux finds the functions.

libvirt's ``bus`` is the index of a controller, and QEMU's buses have names. The firmware gives the guest's buses their
numbers, depth first in the order of slots (SeaBIOS, src/fw/pciinit.c, pci_bios_init_bus_rec; edk2's PciBusDxe does the
same), and Linux keeps the numbers. Linux adds all functions of a bus before it looks behind the bridges on that bus
(drivers/pci/probe.c, pci_scan_child_bus_extend).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from lxml import etree

from harness.domain.xml import PciAddress, controller_index, pci_addresses


@dataclass(frozen=True)
class PluggedFunction:
    """A PCI function and the place where it is plugged in; ``behind`` is the bus behind the function if it is a bridge.

    Any hashable value can name a bus: the firmware has not numbered the buses yet.
    """

    bus: Hashable
    slot: int
    function: int
    behind: Hashable | None = None


@dataclass(frozen=True)
class GuestFunction:
    """A PCI function as the guest sees it.

    ``path`` is the chain of functions from the root bus down, with this function last. ``position`` is its place in the
    order in which Linux finds functions."""

    path: tuple[str, ...]
    position: int


def in_the_guest(functions: Iterable[PluggedFunction], root: Hashable) -> dict[PluggedFunction, GuestFunction]:
    """Return the guest's view of each function on bus ``root`` or behind it, in the order in which Linux finds them."""
    buses: _Buses = {}
    for plugged in functions:
        buses.setdefault(plugged.bus, []).append(plugged)
    for on_bus in buses.values():
        on_bus.sort(key=lambda plugged: (plugged.slot, plugged.function))
    numbers = _bus_numbers(buses, root)
    return {
        plugged: GuestFunction(path, position)
        for position, (plugged, path) in enumerate(_in_probe_order(buses, numbers, root, ()))
    }


def guest_functions(root: etree._Element) -> dict[PciAddress, GuestFunction]:
    """Return the guest's view of each PCI function of the domain, by the function's address as libvirt writes it."""
    plugged = {}
    for element, address in pci_addresses(root):
        is_bridge = element.tag == "controller" and element.get("type") == "pci"
        behind = controller_index(element) if is_bridge else None
        plugged[PluggedFunction(address.bus, address.slot, address.function, behind)] = address
    return {plugged[function]: seen for function, seen in in_the_guest(plugged, 0).items()}


_Buses = dict[Hashable, list[PluggedFunction]]


def _bus_numbers(buses: _Buses, root: Hashable) -> dict[Hashable, int]:
    numbers = {root: 0}
    fresh = count(1)

    def visit(bus: Hashable) -> None:
        for plugged in buses.get(bus, ()):
            if plugged.behind is not None and plugged.behind not in numbers:
                numbers[plugged.behind] = next(fresh)
                visit(plugged.behind)

    visit(root)
    return numbers


def _in_probe_order(
    buses: _Buses, numbers: dict[Hashable, int], bus: Hashable, above: tuple[str, ...]
) -> Iterator[tuple[PluggedFunction, tuple[str, ...]]]:
    here = [
        (plugged, (*above, str(PciAddress(numbers[bus], plugged.slot, plugged.function))))
        for plugged in buses.get(bus, ())
    ]
    yield from here
    for plugged, path in here:
        if plugged.behind is not None:
            yield from _in_probe_order(buses, numbers, plugged.behind, path)
