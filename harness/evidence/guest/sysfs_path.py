"""Read a device's place from its path in sysfs, free of numbers handed out by arrival."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.evidence.address import Address

if TYPE_CHECKING:
    from harness.evidence.address import Unit

_PCI_FUNCTION = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_USB_DEVICE = re.compile(r"\d+-\d+(?:\.\d+)*")
_USB_INTERFACE = re.compile(r"\d+-(\d+(?:\.\d+)*:\d+\.\d+)")
_USB_ROOT_HUB = re.compile(r"usb\d+")


def pci_path(device_path: str) -> tuple[str, ...]:
    """Return the addresses of the PCI functions from the root bus down to the device."""
    return tuple(part for part in device_path.split("/") if _PCI_FUNCTION.fullmatch(part))


def usb_port(device_path: str) -> str | None:
    """Return the USB device's name, bus and ports: 1-2.1; the innermost one; None for a device that is not on USB."""
    return next((part for part in reversed(device_path.split("/")) if _USB_DEVICE.fullmatch(part)), None)


def usb_interface(device_path: str) -> tuple[str, str] | None:
    """Return the path of the USB interface above the device, and its name without the bus number: 2.1:1.0."""
    parts = device_path.split("/")
    for index in reversed(range(len(parts))):
        if match := _USB_INTERFACE.fullmatch(parts[index]):
            return "/".join(parts[: index + 1]), match[1]
    return None


def usb_root_hub(device_path: str) -> str | None:
    """Return the name of the root hub, usb1; None for a device that is not on USB."""
    return next((part for part in device_path.split("/") if _USB_ROOT_HUB.fullmatch(part)), None)


def address_of(device_path: str, unit: Unit | None = None) -> Address:
    """The address of a device, which is ``unit`` on the bus behind the last PCI function of its path."""
    functions = pci_path(device_path)
    return Address(
        pci_path=functions, elsewhere="" if functions else device_path.removeprefix("/sys/devices/"), unit=unit
    )
