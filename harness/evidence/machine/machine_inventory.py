"""Collect evidence at level machine: make the inventory of a paused machine from the devices that QEMU really built.

The inventory uses the guest's terms, as at the other levels: PCI paths are those of QEMU's own tree, numbered as the
firmware will number it. libvirt's live XML supplies only the target names of the disks, through its aliases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.domain.addresses.pci_topology import GuestFunction, in_the_guest
from harness.domain.xml import disk_target, disks_of, parse_domain
from harness.evidence.address import Address, AtaUnit, FloppyUnit, GuestBus, ScsiUnit, Unit, UsbUnit
from harness.evidence.inventory import (
    DIRECT_KERNEL,
    NETWORK,
    BlockDevice,
    BlockKind,
    Inventory,
    KernelNames,
    NetworkInterface,
    PciDevice,
    UsbDevice,
)
from harness.evidence.kernel_names import MEGARAID_CHANNEL, Slot, predict_names
from harness.evidence.machine.machine_facts import Drive, MachineFacts, Query, machine_facts
from harness.evidence.machine.machine_settings import MachineSettings
from harness.evidence.machine.machine_tree import Device
from harness.evidence.plan.domain_inventory import Sources
from harness.scenario.words import Level

_BUSES = {
    "virtio-blk": GuestBus.VIRTIO,
    "scsi-": GuestBus.SCSI,
    "ide-": GuestBus.ATA,
    "floppy": GuestBus.FLOPPY,
}
_DRIVERS = {
    "virtio-blk": "virtio_blk",
    "virtio-scsi": "virtio_scsi",
    "lsi53c8": "sym53c8xx",
    "mptsas1068": "mptsas",
    "megasas": "megaraid_sas",
    "pvscsi": "vmw_pvscsi",
    "ich9-ahci": "ahci",
    "piix": "ata_piix",
    "usb-storage": "usb-storage",
    "usb-bot": "usb-storage",
    "usb-uas": "uas",
    "floppy": "floppy",
}
"""Linux's driver by the start of a QOM type."""
_USB_IDS = {
    "usb-tablet": "0627:0001",
    "usb-mouse": "0627:0001",
    "usb-kbd": "0627:0001",
    "usb-hub": "0409:55aa",
    "usb-storage": "46f4:0001",
    "usb-bot": "46f4:0001",
}
"""Constants of the devices, which QEMU does not print: hw/usb/dev-hid.c, dev-hub.c, dev-storage.c."""


def machine_inventory(query: Query, live_xml: str, sources: Sources) -> Inventory:
    """Return the inventory of a machine, from its monitor and from its domain's live XML.

    Raises:
        HostError: QEMU does not answer, or its answers or the XML cannot be read.
    """
    targets = {}
    for disk in disks_of(parse_domain(live_xml)):
        alias = disk.find("alias")
        if alias is not None:
            targets[alias.get("name", "")] = disk_target(disk)[0]
    return _Machine(machine_facts(query), targets, sources).inventory()


@dataclass(frozen=True)
class _Machine:
    facts: MachineFacts
    targets: Mapping[str, str]
    sources: Sources

    def inventory(self) -> Inventory:
        boot_order = tuple(self._boot_order())
        return Inventory(
            level=Level.MACHINE,
            platform=self._platform(),
            secure_boot=self.facts.secure_boot,
            block_devices=tuple(self._block_devices()),
            network_interfaces=tuple(self._network_interfaces()),
            pci_devices=tuple(sorted(self._pci_devices(), key=lambda device: device.address)),
            usb_devices=tuple(self._usb_devices()),
            boot_medium=next(iter(boot_order), None),
            boot_order=boot_order,
        )

    @cached_property
    def _functions(self) -> dict[int, GuestFunction]:
        """Return each PCI function as the guest has it, by ``Device.index``, in the order in which Linux finds them."""
        tree = self.facts.tree
        plugged = tree.functions()
        return {plugged[each].index: seen for each, seen in in_the_guest(plugged, tree.pci_root().index).items()}

    @cached_property
    def _settings(self) -> MachineSettings:
        return MachineSettings(self.facts.tree)

    def _function(self, device: Device) -> GuestFunction | None:
        """Return the PCI function that the device is, or hangs on."""
        above = (self._functions.get(each.index) for each in self.facts.tree.upwards(device))
        return next((function for function in above if function is not None), None)

    def _usb_carrier(self, device: Device) -> Device | None:
        return next((each for each in self.facts.tree.upwards(device) if each.usb is not None), None)

    def _block_devices(self) -> Iterator[BlockDevice]:
        order = {target: position for position, target in enumerate(self.targets.values())}
        drives = sorted(self.facts.drives, key=lambda drive: order.get(self._name(drive), len(order)))
        names = predict_names([self._slot(drive) for drive in drives])
        for drive in drives:
            yield self._block_device(drive, names[self._name(drive)])

    def _block_device(self, drive: Drive, predicted: KernelNames) -> BlockDevice:
        kind, device, medium = drive.kind, drive.device, drive.medium
        world_wide_name = device.number("wwn")
        return BlockDevice(
            name=self._name(drive),
            kind=kind,
            bus=self._bus(drive),
            address=Address(pci_path=self._path(drive), unit=self._unit(drive)),
            usb_port=self._usb_port(self._usb_carrier(device)),
            size_bytes=0 if medium is None else medium.size_bytes,
            sector_bytes=drive.sector_bytes,
            serial=drive.serial,
            wwn=f"0x{world_wide_name:016x}" if world_wide_name else None,
            vendor=device.text("vendor"),
            model=device.text("product") or device.text("model"),
            driver=self._driver(drive),
            read_only=kind is BlockKind.CDROM or (medium is not None and medium.read_only),
            removable=drive.removable,
            settings=self._settings.of(device) | ({} if medium is None else dict(medium.settings)),
            marker=None if medium is None else self.sources.marker(medium.source),
            predicted=predicted,
        )

    def _name(self, drive: Drive) -> str:
        ids = [device.id for device in self.facts.tree.upwards(drive.device) if device.id]
        return next((self.targets[each] for each in ids if each in self.targets), ids[0])

    def _bus(self, drive: Drive) -> GuestBus:
        if self._usb_carrier(drive.device) is not None:
            return GuestBus.USB
        return next(bus for kind, bus in _BUSES.items() if drive.device.kind.startswith(kind))

    def _path(self, drive: Drive) -> tuple[str, ...]:
        """Return the PCI path; empty for a floppy drive.

        The guest finds a floppy drive by its I/O ports and not on PCI, wherever its ISA bus hangs.
        """
        function = None if drive.device.kind == "floppy" else self._function(drive.device)
        return () if function is None else function.path

    def _unit(self, drive: Drive) -> Unit | None:
        match self._bus(drive):
            case GuestBus.SCSI:
                return self._scsi_unit(drive)
            case GuestBus.ATA:
                return AtaUnit(port=self._ata_port(drive), device=drive.unit)
            case GuestBus.FLOPPY:
                return FloppyUnit(drive=drive.unit)
            case GuestBus.USB:
                return self._usb_unit(drive)
        return None

    def _scsi_unit(self, drive: Drive) -> ScsiUnit:
        unit = drive.scsi_unit
        on_megaraid = self._driver(drive) == "megaraid_sas"
        return unit.model_copy(update={"channel": MEGARAID_CHANNEL}) if on_megaraid else unit

    def _ata_port(self, drive: Drive) -> int:
        """Return the ATA port: IDE has a bus for each channel and AHCI one for each port (hw/ide/ahci.c)."""
        return int(self.facts.tree.bus_of(drive.device).name.rpartition(".")[2]) + 1

    def _usb_unit(self, drive: Drive) -> UsbUnit | None:
        carrier = self._usb_carrier(drive.device)
        if carrier is None or carrier.usb is None:
            return None
        return UsbUnit.at(carrier.usb.port, carrier.usb.speed, self._scsi_unit(drive))

    def _usb_port(self, device: Device | None) -> str | None:
        if device is None or device.usb is None:
            return None
        return f"{self._usb_buses.index(device.bus)}-{device.usb.port}"

    @cached_property
    def _usb_buses(self) -> list[int]:
        buses = {device.bus: self._function(device) for device in self.facts.tree.devices if device.usb is not None}
        return sorted(buses, key=lambda bus: _position(buses[bus]))

    def _driver(self, drive: Drive) -> str | None:
        chain = (device.kind for device in self.facts.tree.upwards(drive.device))
        drivers = (driver for kind in chain for start, driver in _DRIVERS.items() if kind.startswith(start))
        return next(drivers, None)

    def _slot(self, drive: Drive) -> Slot:
        return Slot(
            disk=self._name(drive),
            kind=drive.kind,
            bus=self._bus(drive),
            host=_position(self._function(drive.device)),
            drive=drive.unit,
        )

    def _network_interfaces(self) -> Iterator[NetworkInterface]:
        cards = {card.device.index: card for card in self.facts.network_cards}
        found = [(function, cards[index]) for index, function in self._functions.items() if index in cards]
        for number, (function, card) in enumerate(found):
            yield NetworkInterface(
                name=f"eth{number}",
                predictable_name=None,
                mac=card.mac,
                address=Address(pci_path=function.path),
                driver="virtio" if card.device.kind.startswith("virtio-net") else card.device.kind,
                settings=self._settings.of(card.device),
            )

    def _pci_devices(self) -> Iterator[PciDevice]:
        told = [card.device for card in self.facts.network_cards]
        told += [self._settings.owner(drive.device) or drive.device for drive in self.facts.drives]
        for index, function in self._functions.items():
            device = self.facts.tree.devices[index]
            if device.pci is not None:
                yield PciDevice(
                    address=function.path[-1],
                    path=function.path,
                    vendor_device=device.pci.vendor_device,
                    subsystem=device.pci.subsystem,
                    class_code=device.pci.class_code,
                    driver=None,
                    settings={} if device in told else self._settings.of(device),
                )

    def _usb_devices(self) -> Iterator[UsbDevice]:
        for device in self.facts.tree.devices:
            port, function = self._usb_port(device), self._function(device)
            if port is not None and device.usb is not None:
                yield UsbDevice(
                    port=port,
                    controller="" if function is None else function.path[-1],
                    vendor_product=_USB_IDS.get(device.kind, ""),
                    product=device.usb.product,
                    settings=self._settings.of(device),
                )

    def _platform(self) -> dict[str, str]:
        """Return the platform in the words of ``platform_of``, and the devices that QEMU puts on none of our buses."""
        facts, tree = self.facts, self.facts.tree
        platform = {
            "machine": facts.machine_type,
            "architecture": facts.architecture,
            "uuid": facts.uuid,
            "memory": str(facts.memory_bytes // 1024),
            "vcpu": str(facts.cpus),
            "cpu": facts.cpu_type,
            "loader": (facts.flash[0] if facts.flash else None) or facts.firmware,
        }
        if len(facts.flash) > 1:
            platform["UEFI variables"] = "the instance's" if facts.flash[1] in self.sources.variables else "others"
        disks = {drive.device.index for drive in facts.drives}
        for device in tree.devices:
            if device.id and device.pci is None and device.usb is None and device.index not in disks:
                platform[device.id] = f"{device.kind} on {tree.bus_of(device).name}"
                platform |= {f"{device.id} {name}": value for name, value in self._settings.of(device).items()}
        return platform | self._settings.of_the_board

    def _boot_order(self) -> Iterator[str]:
        if self.facts.kernel:
            yield DIRECT_KERNEL
        candidates = [(drive.boot_index, self._name(drive)) for drive in self.facts.drives]
        candidates += [(card.boot_index, NETWORK) for card in self.facts.network_cards]
        yield from (name for index, name in sorted(candidates) if index >= 0)


def _position(function: GuestFunction | None) -> int:
    return -1 if function is None else function.position
