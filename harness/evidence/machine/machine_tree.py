"""Parse QEMU's device tree as its monitor prints it: buses, devices with their properties, PCI ids, USB speeds.

``info qtree`` shows all of it at once and before the firmware has run, when ``query-pci`` knows nothing behind
bridges, because their buses have no numbers yet. It is meant for people, but its lines are the same from QEMU 5.2 to
11.1 (system/qdev-monitor.c, qbus_print and qdev_print; hw/pci/pci-hmp-cmds.c, pcibus_dev_print; hw/usb/bus.c,
usb_bus_dev_print).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness.domain.addresses.pci_topology import PluggedFunction
from harness.errors import HostError

_BUS = re.compile(r"bus: (?P<name>.+)")
_BUS_KIND = re.compile(r"type (?P<kind>\S+)")
_DEVICE = re.compile(r'dev: (?P<kind>[^,]+), id "(?P<id>.*)"')
_PCI = re.compile(
    r"class (?P<class_name>.+), addr [\da-f]+:(?P<slot>[\da-f]+)\.(?P<function>[\da-f]), "
    r"pci id (?P<vendor_device>[\da-f]{4}:[\da-f]{4}) \(sub (?P<subsystem>[\da-f]{4}:[\da-f]{4})\)"
)
_USB = re.compile(r"addr \d+\.\d+, port (?P<port>[\d.]+), speed (?P<speed>\d+), name (?P<product>.*?)(?:, attached)?")
_PROPERTY = re.compile(r"(?P<name>[\w-]+) = (?P<value>.*)")
_NUMBER = re.compile(r"\d+")
_CLASS_NUMBER = re.compile(r"[\da-f]{4}")
_PCI_BUSES = frozenset({"PCI", "PCIE", "CXL"})
_HOST_BRIDGE = "pcihost"
_CLASSES = {
    "SCSI controller": "0100",
    "IDE controller": "0101",
    "RAID controller": "0104",
    "SATA controller": "0106",
    "SAS controller": "0107",
    "Storage controller": "0180",
    "Ethernet controller": "0200",
    "Network controller": "0280",
    "VGA controller": "0300",
    "Display controller": "0380",
    "Audio controller": "0401",
    "Host bridge": "0600",
    "ISA bridge": "0601",
    "PCI bridge": "0604",
    "Bridge": "0680",
    "USB controller": "0c03",
    "SMBus": "0c05",
}
"""QEMU's names of PCI classes: pci_class_descriptions in hw/pci/pci.c. It has none for others and prints the number."""
_PROGRAMMING_INTERFACES = {"ahci": "01", "-ide": "80", "xhci": "30", "ehci": "20", "ohci": "10"}
"""The last byte of a class, which QEMU does not print, by a part of a QOM type (hw/ide, hw/usb/hcd-*.c)."""


@dataclass(frozen=True)
class PciPlace:
    """Slot and function, ids as ``lspci -n`` writes them, and the class in six digits, as Linux prints it."""

    slot: int
    function: int
    vendor_device: str
    subsystem: str
    class_code: str


@dataclass(frozen=True)
class UsbPlace:
    """Port with those of the hubs before it, speed in Mbit/s, and the product's name."""

    port: str
    speed: int
    product: str


@dataclass(frozen=True)
class Bus:
    """A bus of a device, or of nothing for the machine's own; ``kind`` is its QOM type."""

    index: int
    name: str
    kind: str
    owner: int | None


@dataclass(frozen=True)
class Device:
    """A device on the bus of index ``bus``; ``kind`` is its QOM type, ``id`` is libvirt's name for it, or empty."""

    index: int
    kind: str
    id: str
    bus: int
    pci: PciPlace | None = None
    usb: UsbPlace | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a property that is a text; None if it is empty or missing."""
        return self.properties.get(name, "").removeprefix('"').removesuffix('"') or None

    def number(self, name: str) -> int | None:
        """Return a property that is a number; None if it is missing."""
        match = _NUMBER.match(self.properties.get(name, ""))
        return None if match is None else int(match[0])


@dataclass(frozen=True)
class DeviceTree:
    """Devices and buses by index, in the order in which QEMU lists them: on each bus the newest device first."""

    devices: tuple[Device, ...]
    buses: tuple[Bus, ...]

    def named(self, device_id: str) -> Device | None:
        """Return the device with this name of libvirt's; None for no name."""
        return next((device for device in self.devices if device_id and device.id == device_id), None)

    def bus_of(self, device: Device) -> Bus:
        """Return the bus the device is on."""
        return self.buses[device.bus]

    def upwards(self, device: Device) -> Iterator[Device]:
        """Return the device itself, then the owner of its bus, and so on up."""
        found: Device | None = device
        while found is not None:
            yield found
            owner = self.bus_of(found).owner
            found = None if owner is None else self.devices[owner]

    def below(self, device: Device) -> Iterator[Device]:
        """Return the devices on the buses of the device, at any depth."""
        return (
            each for each in self.devices if each is not device and any(above is device for above in self.upwards(each))
        )

    def functions(self) -> dict[PluggedFunction, Device]:
        """Return every PCI function, buses named by their index."""
        leads_to = {bus.owner: bus.index for bus in self.buses if bus.kind in _PCI_BUSES}
        return {
            PluggedFunction(device.bus, device.pci.slot, device.pci.function, leads_to.get(device.index)): device
            for device in self.devices
            if device.pci is not None
        }

    def pci_root(self) -> Bus:
        """Return the root bus of the machine.

        Raises:
            HostError: the machine has no PCI, or the monitor prints its devices in an unknown form.
        """
        for bus in self.buses:
            owner = None if bus.owner is None else self.devices[bus.owner]
            if bus.kind in _PCI_BUSES and owner is not None and owner.kind.endswith(_HOST_BRIDGE):
                return bus
        raise HostError("no PCI host bridge among the devices that QEMU's 'info qtree' prints")


def parse_device_tree(text: str) -> DeviceTree:
    """Parse the output of ``info qtree``.

    Raises:
        HostError: it is not a device tree.
    """
    devices: list[Device] = []
    properties: list[dict[str, str]] = []
    buses: list[Bus] = []
    open_devices: list[tuple[int, int]] = []
    open_buses: list[tuple[int, int]] = []
    for line in text.splitlines():
        content = line.strip()
        indent = len(line) - len(line.lstrip())
        if match := _BUS.fullmatch(content):
            owner = _enclosing(open_devices, indent)
            open_buses.append((indent, len(buses)))
            buses.append(Bus(len(buses), match["name"], "", owner))
        elif (match := _DEVICE.fullmatch(content)) and (bus := _enclosing(open_buses, indent)) is not None:
            open_devices.append((indent, len(devices)))
            properties.append({})
            devices.append(Device(len(devices), match["kind"], match["id"], bus, properties=properties[-1]))
        elif buses and not buses[-1].kind and (match := _BUS_KIND.fullmatch(content)):
            buses[-1] = replace(buses[-1], kind=match["kind"])
        elif devices and (match := _PCI.fullmatch(content)):
            devices[-1] = replace(devices[-1], pci=_pci_place(match, devices[-1].kind))
        elif devices and (match := _USB.fullmatch(content)):
            place = UsbPlace(match["port"], int(match["speed"]), match["product"])
            devices[-1] = replace(devices[-1], usb=place)
        elif devices and (match := _PROPERTY.fullmatch(content)):
            properties[-1][match["name"]] = match["value"]
    if not devices:
        raise HostError(f"QEMU's 'info qtree' prints no devices but {text[:200]!r}")
    return DeviceTree(tuple(devices), tuple(buses))


def _enclosing(open_ones: list[tuple[int, int]], indent: int) -> int | None:
    """Return the index of the innermost bus or device that is still open at this indent; close the others."""
    while open_ones and open_ones[-1][0] >= indent:
        open_ones.pop()
    return open_ones[-1][1] if open_ones else None


def _pci_place(match: re.Match[str], kind: str) -> PciPlace:
    return PciPlace(
        slot=int(match["slot"], 16),
        function=int(match["function"], 16),
        vendor_device=match["vendor_device"],
        subsystem=match["subsystem"],
        class_code=_class_code(match["class_name"], kind),
    )


def _class_code(name: str, kind: str) -> str:
    """Return the class code; for a class that is not known here, QEMU's own words."""
    number = _CLASSES.get(name) or name.removeprefix("Class ")
    if not _CLASS_NUMBER.fullmatch(number):
        return name
    return number + next((digits for part, digits in _PROGRAMMING_INTERFACES.items() if part in kind), "00")
