"""Small domains for tests, by where things are: ``00:1f.2`` is bus (a controller's index), slot and function."""

from __future__ import annotations

import re

from lxml import etree

from harness.domain.xml import PciAddress, parse_domain


def pci_address(text: str) -> PciAddress:
    bus, slot, function = (int(part, 16) for part in re.split("[:.]", text))
    return PciAddress(bus, slot, function)


def bridge(model: str, index: int, at: str | None = None, *, multifunction: bool = False) -> str:
    return controller("pci", model, index, at, multifunction=multifunction)


def controller(
    kind: str, model: str | None, index: int, at: str | None = None, *, multifunction: bool = False, inner: str = ""
) -> str:
    model_attribute = f" model='{model}'" if model else ""
    address = "" if at is None else pci_address(at).as_xml()
    if multifunction:
        address = address.replace("/>", " multifunction='on'/>")
    return f"<controller type='{kind}' index='{index}'{model_attribute}>{inner}{address}</controller>"


def device(at: str) -> str:
    return f"<interface type='user'>{pci_address(at).as_xml()}</interface>"


def devices(bus: int, slots: range) -> list[str]:
    return [device(f"{bus:02x}:{slot:02x}.0") for slot in slots]


def disk(bus: str, address: str, target: str = "sda") -> str:
    """A disk at ``controller:target:unit``, or on USB at ``bus.port``."""
    if bus == "usb":
        number, _, port = address.partition(".")
        where = f"<address type='usb' bus='{number}' port='{port}'/>"
    else:
        index, target_id, unit = address.split(":")
        where = f"<address type='drive' controller='{index}' bus='0' target='{target_id}' unit='{unit}'/>"
    return f"<disk type='file' device='disk'><target dev='{target}' bus='{bus}'/>{where}</disk>"


PC = bridge("pci-root", 0)
Q35 = bridge("pcie-root", 0)
USB_ON_PC = controller("usb", "piix3-uhci", 0, "00:01.2")
SATA_ON_Q35 = controller("sata", None, 0, "00:1f.2")


def domain(*elements: str) -> etree._Element:
    return parse_domain(f"<domain type='qemu'><devices>{''.join(elements)}</devices></domain>")
