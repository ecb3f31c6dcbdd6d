"""Find the guest's places of a defined domain's devices: PCI functions, and the controllers that others hang on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from harness.domain.addresses.pci_topology import GuestFunction, guest_functions
from harness.domain.xml import PciAddress, controller_index, devices_of


@dataclass(frozen=True)
class DefinedPlaces:
    """The places in a domain of which all addresses are known."""

    root: etree._Element

    @cached_property
    def _functions(self) -> dict[PciAddress, GuestFunction]:
        return guest_functions(self.root)

    @cached_property
    def _controllers(self) -> dict[tuple[str, int], etree._Element]:
        return {
            (controller.get("type", ""), controller_index(controller)): controller
            for controller in devices_of(self.root).findall("controller")
            if controller.find("master") is None  # a UHCI companion lends its ports to the EHCI of the same index
        }

    def function(self, element: etree._Element | None) -> GuestFunction | None:
        """Return the guest's PCI function of a device with a PCI address."""
        address = None if element is None else PciAddress.of(element)
        return None if address is None else self._functions.get(address)

    def controller(self, kind: str, index: int) -> etree._Element | None:
        """Return a controller by libvirt's type and index."""
        return self._controllers.get((kind, index))

    def usb_controller(self, device: etree._Element) -> etree._Element | None:
        """Return the controller that a USB device hangs on."""
        address = _usb_address(device)
        return None if address is None else self.controller("usb", int(address.get("bus", "0")))


def usb_port(device: etree._Element) -> str | None:
    """Return the bus and the port of a USB device, such as ``0-1.2``."""
    address = _usb_address(device)
    return None if address is None else f"{address.get('bus')}-{address.get('port')}"


def _usb_address(device: etree._Element) -> etree._Element | None:
    return device.find("address[@type='usb']")
