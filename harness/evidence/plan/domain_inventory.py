"""Collect evidence at level plan: the inventory of a domain as libvirt completed its XML, in the guest's terms.

Addresses are the ones the guest will see, so that findings read alike at every level. Facts that only a running
machine has (sizes, links, contents) are left out; the file of a disk's content stands in for its marker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from lxml import etree

from harness.domain.pinning import pinned
from harness.domain.placement import Placement
from harness.domain.xml import (
    boots_from_uefi,
    devices_of,
    disk_target,
    disks_of,
    parse_domain,
    serialise,
)
from harness.evidence.address import Address
from harness.evidence.inventory import (
    DIRECT_KERNEL,
    NETWORK,
    Inventory,
    Marker,
    NetworkInterface,
    PciDevice,
    UsbDevice,
)
from harness.evidence.plan.domain_disks import DefinedDisks
from harness.evidence.plan.domain_places import DefinedPlaces, usb_port
from harness.evidence.plan.domain_settings import OF_NETWORK_INTERFACES, settings
from harness.evidence.plan.platform import platform_of
from harness.scenario.words import Level

_USB_CLASS = "0c0300"
_TOLD_OF_THEMSELVES = ("disk", "interface")
_KIND_OF_BOOT = {"hd": "disk", "cdrom": "cdrom", "fd": "floppy"}


@dataclass(frozen=True)
class Sources:
    """Facts about a case's files: ``disks`` maps a disk's source, in the form of ``source_of``, to the disk's name.

    ``tokens`` are the markers' tokens by disk. ``variables`` are the UEFI variable stores that hold the instance's
    own.
    """

    disks: Mapping[str, str]
    tokens: Mapping[str, str]
    variables: frozenset[str] = frozenset()

    @classmethod
    def of(cls, placement: Placement, tokens: Mapping[str, str]) -> Sources:
        """Return the sources of a placed instance."""
        stores = (placement.uefi and placement.uefi.variables_path, placement.rescue_variables_path)
        return cls(
            disks={source.defined_as: name for name, source in placement.sources.items()},
            tokens=tokens,
            variables=frozenset(str(path) for path in stores if path is not None),
        )

    def marker(self, source: str | None) -> Marker | None:
        """Return the marker that the bytes behind ``source`` carry."""
        name = None if source is None else self.disks.get(source)
        token = None if name is None else self.tokens.get(name)
        return None if name is None or token is None else Marker(disk=name, token=token)


def defined_inventory(domain_xml: str, sources: Sources, *, usb_cdrom_is_disk: bool) -> Inventory:
    """Return the inventory of a domain, from its XML with all addresses; raise HostError if that cannot be read.

    ``usb_cdrom_is_disk``: see harness.hypervisor.connection.
    """
    return _Domain(parse_domain(domain_xml), sources, usb_cdrom_is_disk).inventory()


def running_inventory(live_xml: str, sources: Sources, *, usb_cdrom_is_disk: bool) -> Inventory:
    """Return the inventory of a running domain, without libvirt's additions for the run; raise HostError likewise.

    Two running domains are compared rather than their definitions: libvirt expands some definitions at the start, such
    as a host-model CPU, and a rescue that starts from the running domain defines the expanded form.
    """
    return defined_inventory(serialise(pinned(live_xml)), sources, usb_cdrom_is_disk=usb_cdrom_is_disk)


@dataclass(frozen=True)
class _Domain:
    root: etree._Element
    sources: Sources
    usb_cdrom_is_disk: bool

    def inventory(self) -> Inventory:
        boot_order = tuple(self._boot_order())
        disks = DefinedDisks(self._places, self.sources.marker, self.usb_cdrom_is_disk)
        return Inventory(
            level=Level.PLAN,
            platform=platform_of(self.root, self.sources.variables),
            secure_boot=self._secure_boot(),
            block_devices=tuple(disks.devices()),
            network_interfaces=tuple(self._network_interfaces()),
            pci_devices=tuple(sorted(self._pci_devices(), key=lambda device: device.address)),
            usb_devices=tuple(self._usb_devices()),
            boot_medium=next(iter(boot_order), None),
            boot_order=boot_order,
        )

    def _secure_boot(self) -> bool | None:
        loader = self.root.find("os/loader")
        if loader is None or not boots_from_uefi(self.root):
            return None
        return loader.get("secure") == "yes"

    @cached_property
    def _places(self) -> DefinedPlaces:
        return DefinedPlaces(self.root)

    def _network_interfaces(self) -> Iterator[NetworkInterface]:
        found = []
        for nic in devices_of(self.root).findall("interface"):
            function = self._places.function(nic)
            if function is not None:
                found.append((function, nic))
        for index, (function, nic) in enumerate(sorted(found, key=lambda pair: pair[0].position)):
            mac, model, acpi = nic.find("mac"), nic.find("model"), nic.find("acpi")
            yield NetworkInterface(
                name=f"eth{index}",
                predictable_name=None if acpi is None else f"eno{acpi.get('index')}",
                mac="" if mac is None else mac.get("address", ""),
                address=Address(pci_path=function.path),
                driver=None if model is None else model.get("type"),
                settings=settings(nic, OF_NETWORK_INTERFACES),
            )

    def _pci_devices(self) -> Iterator[PciDevice]:
        for element in devices_of(self.root):
            function = self._places.function(element)
            if function is None:
                continue
            yield PciDevice(
                address=function.path[-1],
                path=function.path,
                vendor_device="",
                subsystem="",
                class_code=_USB_CLASS if element.get("type") == "usb" else "",
                driver=None,
                model=_model(element),
                settings={} if element.tag in _TOLD_OF_THEMSELVES else settings(element),
            )

    def _usb_devices(self) -> Iterator[UsbDevice]:
        for element in devices_of(self.root):
            port = usb_port(element)
            if port is None:
                continue
            function = self._places.function(self._places.usb_controller(element))
            yield UsbDevice(
                port=port,
                controller="" if function is None else function.path[-1],
                vendor_product="",
                product=_model(element),
                settings=settings(element),
            )

    def _boot_order(self) -> Iterator[str]:
        """Yield what is told to boot: by per-device order, else by ``<boot dev>``, the first device of that kind.

        QEMU starts a kernel of its own before anything else.
        """
        if self.root.find("os/kernel") is not None:
            yield DIRECT_KERNEL
        in_turn = [device for device in devices_of(self.root) if device.find("boot") is not None]
        in_turn.sort(key=_turn)
        yield from map(_booting_device, in_turn)
        for boot in self.root.findall("os/boot"):
            wanted = _KIND_OF_BOOT.get(boot.get("dev", ""))
            if wanted is None:
                yield NETWORK
            else:
                of_kind = (disk for disk in disks_of(self.root) if disk.get("device", "disk") == wanted)
                yield from map(_booting_device, islice(of_kind, 1))


def _turn(device: etree._Element) -> int:
    boot = device.find("boot")
    return 0 if boot is None else int(boot.get("order", "0"))


def _booting_device(device: etree._Element) -> str:
    match device.tag:
        case "disk":
            return disk_target(device)[0]
        case "interface":
            return NETWORK
        case tag:
            return str(tag)


def _model(element: etree._Element) -> str:
    """Return libvirt's name for a device: tag, type and model."""
    nested = element.find("model")
    named = None if nested is None else nested.get("type") or nested.get("name")
    words = [element.get("type"), str(element.tag), element.get("model") or named]
    words += [f"CID {cid.get('address', 'chosen by libvirt')}" for cid in element.findall("cid")]
    return " ".join(word for word in words if word)
