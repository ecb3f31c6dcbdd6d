"""A guest in its normal, rescued and unrescued states, and ways to edit them."""

from __future__ import annotations

from typing import Any

from harness.evidence.address import Address, AtaUnit, ScsiUnit, Unit, UsbUnit
from harness.evidence.inventory import BlockDevice, Inventory, Marker, NetworkInterface, Partition, PciDevice, UsbDevice
from harness.scenario.words import DeviceType, DiskBus
from harness.verdict.expected import Expected

TOKENS = {disk: f"token-{disk}" for disk in ("root", "ephemeral0", "volume1", "volume2", "config_drive", "rescue")}
EXPECTED = Expected(
    tokens=TOKENS,
    rescue_bus=DiskBus.USB,
    rescue_device=DeviceType.DISK,
    read_only=frozenset({"config_drive"}),
)
LEGACY = Expected(tokens=TOKENS)
SCSI, AHCI, EHCI, UHCI = "0000:05:00.0", "0000:00:1f.2", "0000:00:1d.7", "0000:00:1d.0"
MEDIUM = "harness.medium="


def marker_of(disk: str, token: str | None = None) -> Marker:
    return Marker(disk=disk, token=token or TOKENS[disk])


def address_of(*path: str, unit: Unit | None = None) -> Address:
    return Address(pci_path=path, unit=unit)


def block(name: str, disk: str | None, *path: str, unit: Unit | None = None, **traits: Any) -> BlockDevice:
    values: dict[str, Any] = {
        "kind": "disk",
        "bus": "virtio",
        "driver": "virtio_blk",
        "size_bytes": 16 << 20,
        "sector_bytes": 512,
        "read_only": False,
        "removable": False,
        "by_path": (address_of(*path[-1:], unit=unit).in_full.replace(" ", "-"),),
        "marker": None if disk is None else marker_of(disk),
    }
    return BlockDevice(name=name, address=address_of(*path, unit=unit), **values | traits)


def scsi(name: str, disk: str, lun: int, **traits: Any) -> BlockDevice:
    place = {"bus": "scsi", "driver": "sd", "hctl": f"2:0:0:{lun}"}
    return block(name, disk, "0000:00:02.4", SCSI, unit=ScsiUnit(lun=lun), **place | traits)


def stick(**traits: Any) -> BlockDevice:
    place = {"bus": "usb", "driver": "usb-storage", "usb_port": "2-1", "removable": True}
    return block("sdc", "rescue", EHCI, unit=UsbUnit(ports="1"), **place | traits)


def function(address: str, ids: str, class_code: str, *bridges: str, driver: str | None = None) -> PciDevice:
    return PciDevice(
        address=address,
        path=(*bridges, address),
        vendor_device=ids,
        subsystem="1af4:1100",
        class_code=class_code,
        driver=driver,
    )


def port(number: int) -> PciDevice:
    return function(f"0000:00:02.{number}", "1b36:000c", "060400")


BALLOON = function("0000:06:00.0", "1af4:1045", "00ff00", "0000:00:02.5")
NIC = NetworkInterface(
    name="eth0",
    predictable_name="enp1s0",
    mac="52:54:00:00:00:01",
    address=address_of("0000:00:02.1", "0000:01:00.0"),
    driver="virtio_net",
)
TABLET = UsbDevice(port="1-1", controller=UHCI, vendor_product="0627:0001", product="QEMU USB Tablet")
STICK = UsbDevice(port="2-1", controller=EHCI, vendor_product="46f4:0001", product="QEMU USB HARDDRIVE")

NORMAL = Inventory(
    boot_id="normal",
    kernel="6.1.0",
    command_line=f"console=ttyS0 {MEDIUM}instance",
    cpu_model="QEMU Virtual CPU",
    dmi={"product_uuid": "uuid-1", "sys_vendor": "OpenStack"},
    firmware="uefi",
    secure_boot=True,
    block_devices=(
        block(
            "vda",
            "root",
            "0000:00:02.2",
            "0000:03:00.0",
            partitions=(Partition(name="vda1", number=1, start_bytes=1 << 20, size_bytes=30 << 20),),
        ),
        block("vdb", "ephemeral0", "0000:00:02.3", "0000:04:00.0"),
        scsi("sda", "volume1", 1, serial="id-1", by_id=("scsi-id-1",)),
        scsi("sdb", "volume2", 2, serial="id-2", by_id=("scsi-id-2",)),
        block(
            "sr0",
            "config_drive",
            AHCI,
            unit=AtaUnit(port=0),
            bus="ata",
            kind="cdrom",
            driver="sr",
            read_only=True,
            removable=True,
        ),
    ),
    network_interfaces=(NIC,),
    pci_devices=(
        *(port(number) for number in range(1, 6)),
        function("0000:01:00.0", "1af4:1041", "020000", "0000:00:02.1"),
        function("0000:03:00.0", "1af4:1042", "010000", "0000:00:02.2"),
        function("0000:04:00.0", "1af4:1042", "010000", "0000:00:02.3"),
        function(SCSI, "1af4:1048", "010000", "0000:00:02.4"),
        BALLOON,
        function(UHCI, "8086:2934", "0c0300"),
        function(AHCI, "8086:2922", "010601", driver="ahci"),
    ),
    usb_devices=(TABLET,),
    links_from="computed",
    boot_medium="vda",
    settled=True,
)


def edited(inventory: Inventory, **values: Any) -> Inventory:
    return inventory.model_copy(update=values)


def changed(inventory: Inventory, disk: str, **values: Any) -> Inventory:
    devices = tuple(
        device.model_copy(update=values) if device.marker and device.marker.disk == disk else device
        for device in inventory.block_devices
    )
    return edited(inventory, block_devices=devices)


def holding(inventory: Inventory, disk: str, data: str) -> Inventory:
    return changed(inventory, disk, data_token=data)


def without(inventory: Inventory, *disks: str) -> Inventory:
    left = (device for device in inventory.block_devices if device.marker is None or device.marker.disk not in disks)
    return edited(inventory, block_devices=tuple(left))


def plus(inventory: Inventory, *devices: BlockDevice) -> Inventory:
    return edited(inventory, block_devices=(*inventory.block_devices, *devices))


def swapped(inventory: Inventory, one: str, other: str, *traits: str) -> Inventory:
    """The two disks with these traits exchanged, everything else as it was."""
    first, second = (next(d for d in inventory.block_devices if d.marker and d.marker.disk == x) for x in (one, other))
    given = {one: {trait: getattr(second, trait) for trait in traits}}
    given[other] = {trait: getattr(first, trait) for trait in traits}
    devices = tuple(
        device.model_copy(update=given.get(device.marker.disk if device.marker else "", {}))
        for device in inventory.block_devices
    )
    return edited(inventory, block_devices=devices)


def pci(inventory: Inventory, drop: str = "", *add: PciDevice) -> Inventory:
    left = (device for device in inventory.pci_devices if device.address != drop)
    return edited(inventory, pci_devices=(*left, *add))


def nic(inventory: Inventory, **values: Any) -> Inventory:
    return edited(inventory, network_interfaces=(NIC.model_copy(update=values),))


RESCUED = edited(
    pci(
        plus(NORMAL, stick()),
        "",
        function(EHCI, "8086:293a", "0c0320"),
        function("0000:00:1d.1", "8086:2935", "0c0300"),
    ),
    boot_id="rescued",
    command_line=f"{MEDIUM}rescue",
    boot_medium="sdc",
    usb_devices=(TABLET, STICK),
)
UNRESCUED = edited(NORMAL, boot_id="unrescued")

Key = tuple[str, str, str, str]


def keys(findings: Any) -> set[Key]:
    return {(finding.claim.value, finding.device, finding.before, finding.after) for finding in findings}
