"""Evidence at level plan: the inventory of a domain as libvirt completed its XML, told in the guest's terms.

Addresses are the ones the guest will see, so that findings read alike at every level. What only a running machine has
(sizes, links, contents) is left out; which file a disk's content comes from stands in for its marker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from harness.domain.pci_topology import GuestFunction, guest_functions
from harness.domain.pinning import pinned
from harness.domain.placement import Placement
from harness.domain.xml import (
    DriveAddress,
    PciAddress,
    boots_from_uefi,
    controller_index,
    devices_of,
    disk_target,
    disks_of,
    parse_domain,
    serialise,
    source_of,
)
from harness.evidence.definition import OF_DISKS, OF_NETWORK_INTERFACES, settings
from harness.evidence.inventory import (
    DIRECT_KERNEL,
    NETWORK,
    BlockDevice,
    Inventory,
    Marker,
    NetworkInterface,
    PciDevice,
    UsbDevice,
)
from harness.evidence.kernel_names import Slot, predict_names
from harness.evidence.platform import platform_of
from harness.scenario.words import Level

_BUSES = {"virtio": "virtio", "scsi": "scsi", "ide": "ata", "sata": "ata", "usb": "usb", "fdc": "floppy"}
_DRIVERS = {"virtio": "virtio_blk", "ide": "ata_piix", "sata": "ahci", "usb": "usb-storage", "fdc": "floppy"}
_SCSI_DRIVERS = {
    "virtio-scsi": "virtio_scsi",
    "lsilogic": "sym53c8xx",
    "lsisas1068": "mptsas",
    "lsisas1078": "megaraid_sas",
    "vmpvscsi": "vmw_pvscsi",
}
_IDE_ON_PC = PciAddress(0, 1, 1)
_XHCI = ("qemu-xhci", "nec-xhci")
_USB_CLASS = "0c0300"
_TOLD_OF_THEMSELVES = ("disk", "interface")
CDROM_SECTOR_BYTES = 2048
SECTOR_BYTES = 512


@dataclass(frozen=True)
class Sources:
    """What is known of a case's files: ``disks`` maps a disk's source, as ``source_of`` tells it, to the disk's name.

    ``tokens`` are the markers' by disk. ``variables`` are the UEFI variable stores that hold the instance's own.
    """

    disks: Mapping[str, str]
    tokens: Mapping[str, str]
    variables: frozenset[str] = frozenset()

    @classmethod
    def of(cls, placement: Placement, tokens: Mapping[str, str]) -> Sources:
        """The sources of a placed instance."""
        stores = (placement.uefi and placement.uefi.variables_path, placement.rescue_variables_path)
        return cls(
            disks={source.defined_as: name for name, source in placement.sources.items()},
            tokens=tokens,
            variables=frozenset(str(path) for path in stores if path is not None),
        )

    def marker(self, source: str | None) -> Marker | None:
        """The marker that the bytes behind ``source`` carry."""
        name = None if source is None else self.disks.get(source)
        token = None if name is None else self.tokens.get(name)
        return None if name is None or token is None else Marker(disk=name, token=token)


def defined_inventory(domain_xml: str, sources: Sources, *, usb_cdrom_is_disk: bool) -> Inventory:
    """The inventory of a domain, from its XML with all addresses; raises HostError if that cannot be read.

    ``usb_cdrom_is_disk``: what libvirt makes of a USB CD-ROM, see harness.hypervisor.connection.
    """
    return _Domain(parse_domain(domain_xml), sources, usb_cdrom_is_disk).inventory()


def running_inventory(live_xml: str, sources: Sources, *, usb_cdrom_is_disk: bool) -> Inventory:
    """The same of a domain that runs, without what libvirt adds while it does; raises HostError likewise.

    Two running domains are compared rather than their definitions: libvirt expands some of these when it starts them,
    such as a host-model CPU, and a rescue that starts from the running domain defines what it was expanded to.
    """
    return defined_inventory(serialise(pinned(live_xml)), sources, usb_cdrom_is_disk=usb_cdrom_is_disk)


@dataclass(frozen=True)
class _Domain:
    root: etree._Element
    sources: Sources
    usb_cdrom_is_disk: bool

    def inventory(self) -> Inventory:
        return Inventory(
            level=Level.PLAN,
            platform=platform_of(self.root, self.sources.variables),
            secure_boot=self._secure_boot(),
            block_devices=tuple(self._block_devices()),
            network_interfaces=tuple(self._network_interfaces()),
            pci_devices=tuple(sorted(self._pci_devices(), key=lambda device: device.address)),
            usb_devices=tuple(self._usb_devices()),
            boot_medium=self._boots_first(),
        )

    def _secure_boot(self) -> bool | None:
        loader = self.root.find("os/loader")
        if loader is None or not boots_from_uefi(self.root):
            return None
        return loader.get("secure") == "yes"

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

    def _function(self, element: etree._Element | None) -> GuestFunction | None:
        address = None if element is None else PciAddress.of(element)
        return None if address is None else self._functions.get(address)

    def _block_devices(self) -> Iterator[BlockDevice]:
        disks = [(disk, *disk_target(disk)) for disk in disks_of(self.root)]
        slots = [self._slot(disk, target, bus, created) for created, (disk, target, bus) in enumerate(disks)]
        names = predict_names(slots)
        for (disk, target, bus), slot in zip(disks, slots, strict=True):
            path = self._path(disk, bus)
            yield BlockDevice(
                name=target,
                kind=slot.kind,
                bus=slot.bus,
                address=" ".join(filter(None, (f"pci {'/'.join(path)}" if path else "", self._behind(disk, bus)))),
                pci_path=path,
                usb_port=self._usb_port(disk),
                size_bytes=None,
                sector_bytes=_sector_bytes(disk, slot.kind),
                serial=disk.findtext("serial"),
                wwn=_world_wide_name(disk),
                vendor=disk.findtext("vendor"),
                model=disk.findtext("product"),
                driver=_DRIVERS.get(bus) or _SCSI_DRIVERS.get(self._scsi_model(disk)),
                read_only=disk.find("readonly") is not None,
                removable=slot.kind != "disk" or _target_is_removable(disk),
                storage=_storage(disk),
                settings=settings(disk, OF_DISKS),
                marker=self.sources.marker(source_of(disk)),
                predicted=names[target],
            )

    def _slot(self, disk: etree._Element, target: str, bus: str, created: int) -> Slot:
        drive = DriveAddress.of(disk) or DriveAddress(0, 0, 0, 0)
        function = self._function(disk if bus == "virtio" else self._controller(disk, bus))
        channel, scsi_target, lun = self._scsi_place(disk, drive)
        return Slot(
            disk=target,
            kind=self._kind(disk, bus),
            bus=_BUSES.get(bus, "other"),
            host=-1 if function is None else function.position,
            channel=channel,
            target=scsi_target,
            lun=drive.unit if bus == "fdc" else lun,
            created=created,
            on_virtio=bus == "scsi" and self._scsi_model(disk) == "virtio-scsi",
        )

    def _kind(self, disk: etree._Element, bus: str) -> str:
        kind = disk.get("device", "disk")
        if kind == "lun" or (kind == "cdrom" and bus == "usb" and self.usb_cdrom_is_disk):
            return "disk"
        return kind

    def _controller(self, disk: etree._Element, bus: str) -> etree._Element | None:
        if bus == "usb":
            address = disk.find("address[@type='usb']")
            return self._controllers.get(("usb", int(address.get("bus", "0")))) if address is not None else None
        drive = DriveAddress.of(disk)
        return None if drive is None else self._controllers.get((bus, drive.controller))

    def _scsi_model(self, disk: etree._Element) -> str:
        controller = self._controller(disk, "scsi")
        return "" if controller is None else controller.get("model", "")

    def _scsi_place(self, disk: etree._Element, drive: DriveAddress) -> tuple[int, int, int]:
        """Channel, target, LUN: on lsilogic libvirt's unit is the SCSI id (qemuBuildDiskDeviceProps)."""
        if self._scsi_model(disk) == "lsilogic":
            return 0, drive.unit, 0
        return drive.bus, drive.target, drive.unit

    def _path(self, disk: etree._Element, bus: str) -> tuple[str, ...]:
        if bus == "virtio":
            function = self._function(disk)
        else:
            controller = self._controller(disk, bus)
            function = self._function(controller)
            if function is None and bus == "ide" and controller is not None:
                return (str(_IDE_ON_PC),)
        return () if function is None else function.path

    def _behind(self, disk: etree._Element, bus: str) -> str:
        drive = DriveAddress.of(disk) or DriveAddress(0, 0, 0, 0)
        match bus:
            case "scsi":
                return "scsi " + ":".join(str(number) for number in self._scsi_place(disk, drive))
            case "ide":
                return f"ata {drive.bus + 1}.{drive.unit}"
            case "sata":
                return f"ata {drive.unit + 1}.0"
            case "fdc":
                return f"floppy {drive.unit}"
            case "usb":
                return self._usb_place(disk)
        return ""

    def _usb_place(self, disk: etree._Element) -> str:
        address = disk.find("address[@type='usb']")
        if address is None:
            return ""
        controller = self._controllers.get(("usb", int(address.get("bus", "0"))))
        port = address.get("port", "")
        has_superspeed = controller is not None and controller.get("model") in _XHCI
        behind_hub = "." in port  # QEMU's hub is a full-speed one (hw/usb/dev-hub.c)
        return f"usb superspeed {port}" if has_superspeed and not behind_hub else f"usb {port}"

    def _usb_port(self, device: etree._Element) -> str | None:
        address = device.find("address[@type='usb']")
        return None if address is None else f"{address.get('bus')}-{address.get('port')}"

    def _network_interfaces(self) -> Iterator[NetworkInterface]:
        found = []
        for nic in devices_of(self.root).findall("interface"):
            function = self._function(nic)
            if function is not None:
                found.append((function, nic))
        for index, (function, nic) in enumerate(sorted(found, key=lambda pair: pair[0].position)):
            mac, model, acpi = nic.find("mac"), nic.find("model"), nic.find("acpi")
            yield NetworkInterface(
                name=f"eth{index}",
                predictable_name=None if acpi is None else f"eno{acpi.get('index')}",
                mac="" if mac is None else mac.get("address", ""),
                address=f"pci {'/'.join(function.path)}",
                driver=None if model is None else model.get("type"),
                settings=settings(nic, OF_NETWORK_INTERFACES),
            )

    def _pci_devices(self) -> Iterator[PciDevice]:
        for element in devices_of(self.root):
            function = self._function(element)
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
            address = element.find("address[@type='usb']")
            if address is None:
                continue
            function = self._function(self._controllers.get(("usb", int(address.get("bus", "0")))))
            yield UsbDevice(
                port=f"{address.get('bus')}-{address.get('port')}",
                controller="" if function is None else function.path[-1],
                vendor_product="",
                product=_model(element),
                settings=settings(element),
            )

    def _boots_first(self) -> str | None:
        """By per-device order, else by ``<boot dev>``, which means the first device of that kind."""
        if self.root.find("os/kernel") is not None:
            return DIRECT_KERNEL
        ordered = [device for device in devices_of(self.root) if device.find("boot") is not None]
        if ordered:
            device = min(ordered, key=_boot_order)
            return disk_target(device)[0] if device.tag == "disk" else NETWORK
        for boot in self.root.findall("os/boot"):
            wanted = {"hd": "disk", "cdrom": "cdrom", "fd": "floppy"}.get(boot.get("dev", ""))
            if wanted is None:
                return NETWORK
            for disk in disks_of(self.root):
                if disk.get("device", "disk") == wanted:
                    return disk_target(disk)[0]
        return None


def _boot_order(device: etree._Element) -> int:
    boot = device.find("boot")
    return 0 if boot is None else int(boot.get("order", "0"))


def _storage(disk: etree._Element) -> str:
    driver = disk.find("driver")
    words = ["raw" if driver is None else driver.get("type", "raw")]
    words += [f"encrypted {encryption.get('format')}" for encryption in disk.iterfind(".//encryption")]
    words += ["with its own SCSI commands"] * (disk.get("device") == "lun")
    words += ["transient"] * (disk.find("transient") is not None)
    words += [f"from {host.get('name')}:{host.get('port')}" for host in disk.iterfind("source/host")]
    return " ".join(words)


def _sector_bytes(disk: etree._Element, kind: str) -> int:
    block_io = disk.find("blockio")
    default = CDROM_SECTOR_BYTES if kind == "cdrom" else SECTOR_BYTES
    return default if block_io is None else int(block_io.get("logical_block_size", default))


def _world_wide_name(disk: etree._Element) -> str | None:
    name = disk.findtext("wwn")
    return None if name is None else f"0x{name.removeprefix('0x')}"


def _target_is_removable(disk: etree._Element) -> bool:
    target = disk.find("target")
    return target is not None and target.get("removable") == "on"


def _model(element: etree._Element) -> str:
    """What libvirt calls a device: tag, type and model."""
    nested = element.find("model")
    named = None if nested is None else nested.get("type") or nested.get("name")
    words = [element.get("type"), str(element.tag), element.get("model") or named]
    words += [f"CID {cid.get('address', 'chosen by libvirt')}" for cid in element.findall("cid")]
    return " ".join(word for word in words if word)
