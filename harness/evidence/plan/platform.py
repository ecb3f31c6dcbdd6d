"""Read the parts of a domain beside devices on PCI, USB and disk buses, as text by path, for comparing two domains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from lxml import etree

from harness.domain.xml import devices_of
from harness.evidence.plan.domain_settings import NOTHING, OF_DEVICES_ON_NO_BUS, numbered, settings

_TOLD_OTHERWISE = frozenset({"devices", "os"})
_BOOT_ORDER = frozenset({"boot", "kernel", "initrd", "cmdline"})
_OURS = "opt/rescue-harness/"
"""The beginning of the harness's own entries in the firmware configuration (harness.guest.access)."""


def platform_of(root: etree._Element, variables: Collection[str]) -> dict[str, str]:
    """Return the domain's settings that belong to no device, and the devices on no bus that the inventory lists.

    The settings are accelerator, machine, firmware, UUID, memory, CPU and the like. ``variables`` are the UEFI
    variable stores that hold the instance's own; the comparison ignores which of them is used.
    """
    facts = {("accelerator" if name == "type" else f"domain@{name!s}"): str(value) for name, value in root.items()}
    seen: Counter[str] = Counter()
    for element in root:
        if isinstance(element.tag, str) and element.tag not in _TOLD_OTHERWISE and not _is_ours(element):
            facts.update(settings(element, NOTHING, name=numbered(element, seen)))
    os_element = root.find("os")
    if os_element is not None:
        facts.update(_boot_facts(os_element, variables))
    counted: Counter[str] = Counter()
    for element in _on_no_bus(root):
        tag = str(element.tag)
        facts.update(settings(element, OF_DEVICES_ON_NO_BUS, name=f"{tag} {counted[tag]}"))
        counted[tag] += 1
    return facts


def _is_ours(element: etree._Element) -> bool:
    return element.tag == "sysinfo" and all(entry.get("name", "").startswith(_OURS) for entry in element)


def _boot_facts(os_element: etree._Element, variables: Collection[str]) -> dict[str, str]:
    facts = {f"os@{name!s}": str(value) for name, value in os_element.items()}
    for element in os_element:
        if not isinstance(element.tag, str) or element.tag in _BOOT_ORDER:
            continue
        found = settings(element, NOTHING, name=element.tag).copy()
        if element.tag == "type":
            facts |= {"machine": found.pop("type@machine", ""), "architecture": found.pop("type@arch", "")}
        elif element.tag == "nvram":
            facts["UEFI variables"] = "the instance's" if found.pop("nvram", None) in variables else "others"
        facts |= found
    return facts


def _on_no_bus(root: etree._Element) -> Iterator[etree._Element]:
    """Return the devices that no list of the inventory has, with the PCI root.

    Other controllers without a place come and go with the devices that hang on them.
    """
    for element in devices_of(root):
        if element.tag == "disk" or (element.tag == "controller" and element.get("type") != "pci"):
            continue
        if not any(address.get("type") in ("pci", "usb") for address in element.iterchildren("address")):
            yield element
