"""What a domain has beside devices on PCI, USB and disk buses, as text by name, for comparing two domains."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from harness.domain.xml import devices_of

_LEFT_OUT = frozenset(
    {"name", "title", "description", "metadata", "devices", "os", "seclabel", "currentMemory", "resource"}
)
_OF_THE_BUSES = frozenset({"disk", "controller", "emulator", "interface", "hostdev"})


def platform_of(root: etree._Element, variables: Collection[str]) -> dict[str, str]:
    """Accelerator, machine, firmware, UUID, memory, CPU and the like; the devices on no bus that the inventory lists.

    ``variables`` are the UEFI variable stores that hold the instance's own; which of them is used is all the same.
    """
    facts = {"accelerator": root.get("type", "")}
    for element in root:
        if not isinstance(element.tag, str) or element.tag in _LEFT_OUT or _is_ours(element):
            continue
        facts[element.tag] = _text(element)
    facts |= _boot_facts(root, variables)
    for element in devices_of(root):
        if element.tag in _OF_THE_BUSES or element.find("address[@type='pci']") is not None:
            continue
        if element.find("address[@type='usb']") is not None:
            continue
        number = sum(key.startswith(f"{element.tag} ") for key in facts)
        facts[f"{element.tag} {number}"] = _text(element)
    return facts


def _is_ours(element: etree._Element) -> bool:
    return element.tag == "sysinfo" and element.get("type") == "fwcfg"


def _boot_facts(root: etree._Element, variables: Collection[str]) -> dict[str, str]:
    os_element = root.find("os")
    if os_element is None:
        return {}
    facts = {}
    for element in os_element:
        if not isinstance(element.tag, str) or element.tag in ("boot", "kernel", "initrd", "cmdline"):
            continue
        if element.tag == "type":
            facts["machine"] = element.get("machine", "")
            facts["architecture"] = element.get("arch", "")
        elif element.tag == "nvram":
            facts["UEFI variables"] = "the instance's" if element.text in variables else "others"
        else:
            facts[element.tag] = _text(element)
    return facts


def _text(element: etree._Element) -> str:
    if len(element) or not element.text:
        return _markup(element)
    return " ".join((element.text, *(f"{name!s}={value!s}" for name, value in sorted(element.items()))))


def _markup(element: etree._Element) -> str:
    """The element on one line with its attributes in order; etree.canonicalize takes ten times as long."""
    attributes = "".join(f' {name!s}="{value!s}"' for name, value in sorted(element.items()))
    inside = (element.text or "").strip() + "".join(_markup(child) for child in element)
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>" if inside else f"<{element.tag}{attributes}/>"
