"""Reading libvirt's domain XML: parsing without entities, and the few facts that many rooms ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from harness.errors import HostError

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)


def parse_domain(text: str) -> etree._Element:
    """Parse domain XML.

    Raises:
        HostError: the text is no XML or no domain.
    """
    try:
        root = etree.fromstring(text.encode(), _PARSER)
    except etree.XMLSyntaxError as error:
        raise HostError(f"domain XML cannot be parsed: {error}") from error
    if root.tag != "domain":
        raise HostError(f"expected domain XML, found <{root.tag}>")
    return root


def serialise(root: etree._Element) -> str:
    """Return the pretty-printed text of a domain."""
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode") + "\n"


def devices_of(root: etree._Element) -> etree._Element:
    """Return the ``<devices>`` element.

    Raises:
        HostError: the domain has no ``<devices>``.
    """
    devices = root.find("devices")
    if devices is None:
        raise HostError("domain XML has no <devices>")
    return devices


def boots_from_uefi(root: etree._Element) -> bool:
    """Tell whether OVMF boots this domain."""
    loader = root.find("os/loader")
    return root.find("os").get("firmware") == "efi" if loader is None else loader.get("type") == "pflash"  # type: ignore[union-attr]


@dataclass(frozen=True, order=True)
class PciAddress:
    """A PCI address as libvirt writes it; ``bus`` is the index of the controller that the device is plugged into."""

    bus: int
    slot: int
    function: int = 0
    domain: int = 0

    @classmethod
    def of(cls, element: etree._Element) -> PciAddress | None:
        """Return the PCI address of a device element, or None if it has none."""
        for address in element.iterchildren("address"):
            if address.get("type") == "pci":
                return _pci_address(*(address.get(key, "0") for key in ("bus", "slot", "function", "domain")))
        return None

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}.{self.function:x}"

    def as_xml(self) -> str:
        """Return the ``<address/>`` element as text."""
        return (
            f"<address type='pci' domain='0x{self.domain:04x}' bus='0x{self.bus:02x}'"
            f" slot='0x{self.slot:02x}' function='0x{self.function:x}'/>"
        )


@lru_cache(maxsize=1024)
def _pci_address(*numbers: str) -> PciAddress:
    """Return a remembered PCI address: a sweep reads the same few addresses ten thousand times over."""
    return PciAddress(*(int(number, 16) for number in numbers))


def pci_addresses(root: etree._Element) -> Iterator[tuple[etree._Element, PciAddress]]:
    """Yield every device that has a PCI address, with the address."""
    for element in devices_of(root):
        address = PciAddress.of(element)
        if address is not None:
            yield element, address


@dataclass(frozen=True)
class DriveAddress:
    """A drive address, as libvirt calls it: controller, bus, target, unit."""

    controller: int
    bus: int
    target: int
    unit: int

    @classmethod
    def of(cls, element: etree._Element) -> DriveAddress | None:
        """Return the drive address of a disk element, or None if it has none."""
        for address in element.iterchildren("address"):
            if address.get("type") == "drive":
                return cls(*(int(address.get(key, "0")) for key in ("controller", "bus", "target", "unit")))
        return None

    def __str__(self) -> str:
        return f"drive {self.controller}:{self.bus}:{self.target}:{self.unit}"

    def as_xml(self) -> str:
        """Return the ``<address/>`` element as text."""
        return (
            f"<address type='drive' controller='{self.controller}' bus='{self.bus}'"
            f" target='{self.target}' unit='{self.unit}'/>"
        )


def address_text(element: etree._Element) -> str:
    """Return a device's address for people: PCI, drive, USB port, or '-'."""
    address = element.find("address")
    if address is None:
        return "-"
    known = PciAddress.of(element) or DriveAddress.of(element)
    if known is not None:
        return f"PCI {known}" if isinstance(known, PciAddress) else str(known)
    if address.get("type") == "usb":
        return f"USB bus {address.get('bus')} port {address.get('port')}"
    return " ".join(f"{key!s}={address.get(key)}" for key in address.keys())  # noqa: SIM118 - an element, no mapping


def disks_of(root: etree._Element) -> list[etree._Element]:
    """Return the ``<disk>`` elements in document order."""
    return devices_of(root).findall("disk")


def disk_target(disk: etree._Element) -> tuple[str, str]:
    """Return a disk's target name and bus.

    Raises:
        HostError: the disk has no ``<target>``.
    """
    target = disk.find("target")
    if target is None:
        raise HostError("domain XML has a <disk> without <target>")
    return target.get("dev", ""), target.get("bus", "")


def identity_of(device: etree._Element) -> str:
    """Return a text that identifies a disk or NIC within its domain: a disk's target name, a NIC's MAC address."""
    mac = device.find("mac")
    return disk_target(device)[0] if mac is None else mac.get("address", "")


def source_of(disk: etree._Element) -> str | None:
    """Return the source of a disk's content: its file, block device, or protocol and name; None for an empty drive."""
    source = disk.find("source")
    if source is None:
        return None
    where = source.get("file") or source.get("dev")
    return where or f"{source.get('protocol', disk.get('type', ''))}:{source.get('name', source.get('volume', ''))}"


def controller_index(controller: etree._Element) -> int:
    """Return a controller's number among the controllers of its type."""
    return int(controller.get("index", "0"))


def controllers(root: etree._Element, kind: str) -> list[etree._Element]:
    """Return the controllers of one type, sorted by index."""
    found = devices_of(root).findall(f"controller[@type='{kind}']")
    return sorted(found, key=controller_index)
