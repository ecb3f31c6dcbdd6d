"""Predict the name that udev would give a NIC, by naming scheme v252.

Sources: src/udev/udev-builtin-net_id.c (dev_pci_onboard, dev_pci_slot), NamePolicy in network/99-default.link
(database and kernel names aside: onboard, slot, path). Modelled: Ethernet directly on a PCI function or through
virtio; not SR-IOV virtual functions, USB NICs or other buses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS = re.compile(r"([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)\.([0-7])")
_LONGEST_NAME = 15
_LARGEST_INDEX = 0xFFFF


@dataclass(frozen=True)
class PciNic:
    """An Ethernet interface on PCI: its chain of functions, itself last, and the facts that its names are made from.

    ``onboard_index`` is acpi_index or, without one, the SMBIOS index; ``bridges`` are the functions of ``path`` that
    are PCI bridges; ``slots`` maps hotplug slots' names to addresses without function, from /sys/bus/pci/slots.
    """

    path: tuple[str, ...]
    multifunction: bool
    ari: bool
    onboard_index: int | None
    port: int
    port_name: str | None
    bridges: frozenset[str]
    slots: Mapping[str, str]


def predictable_name(nic: PciNic) -> str | None:
    """Return the first of the names by onboard index, by slot and by path that is no longer than the kernel allows."""
    match = _ADDRESS.fullmatch(nic.path[-1])
    if match is None:
        return None
    domain, bus, slot, function = (int(part, 16) for part in match.groups())
    if nic.ari:
        function += slot * 8
    prefix = f"P{domain}" if domain else ""
    port = f"n{nic.port_name}" if nic.port_name else f"d{nic.port}" if nic.port else ""
    function_suffix = f"f{function}" if function or nic.multifunction else ""
    names = []
    if nic.onboard_index is not None and nic.onboard_index <= _LARGEST_INDEX:
        names.append(f"eno{nic.onboard_index}{port}")
    if hotplug_slot := _hotplug_slot(nic):
        names.append(f"en{prefix}s{hotplug_slot}{function_suffix}{port}")
    names.append(f"en{prefix}p{bus}s{slot}{function_suffix}{port}")
    return next((name for name in names if len(name) <= _LONGEST_NAME), None)


def _hotplug_slot(nic: PciNic) -> int | None:
    """Return the slot of the NIC, or of the nearest bridge above it; a bridge's only for a multifunction NIC."""
    numbered = {int(name): address for name, address in nic.slots.items() if name.isdecimal() and int(name) > 0}
    for function in reversed(nic.path):
        for number, address in sorted(numbered.items()):
            if function.startswith(address):
                return None if function in nic.bridges and not nic.multifunction else number
    return None
