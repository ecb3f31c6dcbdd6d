"""Read NICs, PCI functions, USB devices, DMI and CPU of an inventory from a capture."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from harness.evidence.guest.attachment import usb_unit
from harness.evidence.guest.interface_names import PciNic, predictable_name
from harness.evidence.guest.sysfs_path import address_of, pci_path, usb_port
from harness.evidence.inventory import NetworkInterface, PciDevice, UsbDevice

if TYPE_CHECKING:
    from harness.evidence.guest.capture import Capture

_DMI = "/sys/class/dmi/id/"
_NOT_DMI = frozenset({"uevent", "modalias"})
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_VARIABLE_ATTRIBUTES = 4
_ETHERNET = 1
_HEADER_TYPE = 14
_MULTIFUNCTION = 0x80


def network_interfaces(capture: Capture) -> tuple[NetworkInterface, ...]:
    """Return the NICs with a device behind them, by kernel name."""
    slots = {
        posixpath.basename(posixpath.dirname(path)): lines[0].strip()
        for path, lines in capture.lines.items()
        if path.startswith("/sys/bus/pci/slots/") and lines
    }
    found = []
    for name, path in sorted(capture.children("/sys/class/net").items()):
        if path.startswith("/sys/devices/virtual/"):
            continue
        found.append(
            NetworkInterface(
                name=name,
                predictable_name=_predictable_name(capture, name, path, slots),
                mac=capture.text(f"/sys/class/net/{name}/address") or "",
                address=address_of(path, usb_unit(capture, path) if usb_port(path) else None),
                driver=capture.properties(f"/sys/class/net/{name}/device/uevent").get("DRIVER"),
            )
        )
    return tuple(found)


def pci_devices(capture: Capture) -> tuple[PciDevice, ...]:
    """Return every PCI function, by address."""
    found = []
    for address, path in sorted(capture.children("/sys/bus/pci/devices").items()):
        properties = capture.properties(f"/sys/bus/pci/devices/{address}/uevent")
        found.append(
            PciDevice(
                address=address,
                path=pci_path(path),
                vendor_device=properties.get("PCI_ID", "").lower(),
                subsystem=properties.get("PCI_SUBSYS_ID", "").lower(),
                class_code=properties.get("PCI_CLASS", "").lower().zfill(6),
                driver=properties.get("DRIVER"),
            )
        )
    return tuple(found)


def usb_devices(capture: Capture) -> tuple[UsbDevice, ...]:
    """Return the USB devices that are not root hubs, by port."""
    found = []
    for name, path in sorted(capture.children("/sys/bus/usb/devices").items()):
        if usb_port(path) != name:
            continue
        device = f"/sys/bus/usb/devices/{name}"
        vendor, product = capture.properties(f"{device}/uevent").get("PRODUCT", "0/0/0").split("/")[:2]
        found.append(
            UsbDevice(
                port=name,
                controller=next(iter(reversed(pci_path(path))), ""),
                vendor_product=f"{vendor.zfill(4)}:{product.zfill(4)}",
                product=capture.text(f"{device}/product") or "",
            )
        )
    return tuple(found)


def dmi(capture: Capture) -> dict[str, str]:
    """Return the kernel's DMI table by name of the field, /sys/class/dmi/id."""
    return {
        path.removeprefix(_DMI): lines[0].strip()
        for path, lines in sorted(capture.lines.items())
        if path.startswith(_DMI) and path.removeprefix(_DMI) not in _NOT_DMI and lines
    }


def cpu_model(capture: Capture) -> str:
    """Return the first processor's model name; empty if the kernel gives none."""
    for line in capture.lines.get("/proc/cpuinfo", ()):
        if match := re.match(r"model name\s*:\s*(.*)", line):
            return match[1].strip()
    return ""


def secure_boot(capture: Capture) -> bool | None:
    """Return the UEFI variable SecureBoot, four bytes of attributes and its value; None if there is none to read.

    UEFI specification, section 3.3, and the kernel's Documentation/filesystems/efivarfs.rst.
    """
    variable = capture.blobs.get(_SECURE_BOOT, b"")
    return bool(variable[_VARIABLE_ATTRIBUTES]) if len(variable) > _VARIABLE_ATTRIBUTES else None


def lockdown(capture: Capture) -> str | None:
    """Return the kernel's lockdown mode: none, integrity or confidentiality."""
    chosen = re.search(r"\[(\w+)\]", capture.text("/sys/kernel/security/lockdown") or "")
    return chosen[1] if chosen else None


def _predictable_name(capture: Capture, name: str, path: str, slots: dict[str, str]) -> str | None:
    functions = pci_path(path)
    interface = f"/sys/class/net/{name}"
    parent = posixpath.basename(posixpath.dirname(posixpath.dirname(path)))
    is_virtio = re.fullmatch(r"virtio\d+", parent) is not None
    if not functions or capture.number(f"{interface}/type") != _ETHERNET or not (is_virtio or parent == functions[-1]):
        return None
    function = f"{interface}/device/.." if is_virtio else f"{interface}/device"
    index = capture.number(f"{function}/acpi_index")
    config = capture.blobs.get(f"{function}/config", b"").ljust(_HEADER_TYPE + 1, b"\0")
    return predictable_name(
        PciNic(
            path=functions,
            multifunction=bool(config[_HEADER_TYPE] & _MULTIFUNCTION),
            ari=capture.text(f"{function}/ari_enabled") == "1",
            onboard_index=capture.number(f"{function}/index") if index is None else index,
            port=capture.number(f"{interface}/dev_port") or 0,
            port_name=capture.text(f"{interface}/phys_port_name"),
            bridges=frozenset(each for each in functions if _is_bridge(capture, each)),
            slots=slots,
        )
    )


def _is_bridge(capture: Capture, address: str) -> bool:
    """Return whether udev takes the function for a PCI bridge: by subclass 04 alone."""
    properties = capture.properties(f"/sys/bus/pci/devices/{address}/uevent")
    return properties.get("PCI_CLASS", "").zfill(6)[2:4] == "04"
