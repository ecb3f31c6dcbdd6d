"""The machine types of this host's QEMU, from libvirt's capabilities."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libvirt
from lxml import etree

_KNOWN = re.compile(r"pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+")


@dataclass(frozen=True)
class MachineType:
    """A machine type as a scenario names it; an alias has the full name in ``stands_for``."""

    name: str
    stands_for: str | None

    @property
    def remark(self) -> str:
        """The meaning of the name, for people."""
        return f"is {self.stands_for} here" if self.stands_for else ""


def machine_types(connection: libvirt.virConnect) -> list[MachineType]:
    """Return the x86_64 machines that a scenario can ask for: aliases first, then the newest version first."""
    capabilities = etree.fromstring(connection.getCapabilities())
    found = {
        machine.text: MachineType(machine.text, machine.get("canonical"))
        for machine in capabilities.findall("guest/arch[@name='x86_64']/machine")
        if machine.text and _KNOWN.fullmatch(machine.text)
    }
    return sorted(found.values(), key=_order)


def _order(machine: MachineType) -> tuple[bool, str, tuple[int, ...]]:
    kind, _, version = machine.name.rpartition("-")
    numbers = tuple(-int(part) for part in version.split(".") if part.isdecimal())
    return machine.stands_for is None, kind, numbers
