"""Everything one state of a guest shows, as plain data. One model for every level of evidence."""

from __future__ import annotations

from enum import StrEnum

from harness.frozen import Frozen


class State(StrEnum):
    """The three states of a case."""

    NORMAL = "normal"
    RESCUED = "rescued"
    UNRESCUED = "unrescued"


class Marker(Frozen):
    """What the harness planted on a disk: the disk's name in the scenario and a token of this case."""

    disk: str
    token: str


class Partition(Frozen):
    """A partition: kernel name, number, first sector and size in bytes."""

    name: str
    number: int
    start_bytes: int
    size_bytes: int


class BlockDevice(Frozen):
    """One whole block device as the guest sees it.

    ``address`` identifies where the device sits and holds nothing that the kernel hands out by arrival: the PCI path
    from the root bus down, then SCSI channel:target:LUN, ATA port and device, or USB port. ``hctl`` is the raw SCSI
    H:C:T:L, whose host number is arrival order.
    """

    name: str
    kind: str  # disk | cdrom | floppy
    bus: str  # virtio | scsi | ata | usb | floppy | other
    address: str
    pci_path: tuple[str, ...] = ()
    hctl: str | None = None
    usb_port: str | None = None
    size_bytes: int
    sector_bytes: int
    serial: str | None = None
    wwn: str | None = None
    vendor: str | None = None
    model: str | None = None
    driver: str | None = None
    read_only: bool
    removable: bool
    by_path: tuple[str, ...] = ()
    by_id: tuple[str, ...] = ()
    partitions: tuple[Partition, ...] = ()
    mounted_at: tuple[str, ...] = ()
    marker: Marker | None = None
    data_token: str | None = None


class NetworkInterface(Frozen):
    """A NIC with its kernel name and the name udev's net_id would give it."""

    name: str
    predictable_name: str | None
    mac: str
    address: str
    driver: str | None


class PciDevice(Frozen):
    """A function on the PCI tree; ``path`` is its chain of bridges, itself last."""

    address: str
    path: tuple[str, ...]
    vendor_device: str
    subsystem: str
    class_code: str
    driver: str | None


class UsbDevice(Frozen):
    """A USB device that is not a root hub; ``controller`` is its host controller's PCI address."""

    port: str
    controller: str
    vendor_product: str
    product: str


class Inventory(Frozen):
    """One state at level ``guest``, brought by one SSH round trip."""

    boot_id: str
    kernel: str
    command_line: str
    cpu_model: str
    dmi: dict[str, str]
    block_devices: tuple[BlockDevice, ...]
    network_interfaces: tuple[NetworkInterface, ...]
    pci_devices: tuple[PciDevice, ...]
    usb_devices: tuple[UsbDevice, ...]
    active_swaps: tuple[str, ...] = ()
    links_from: str  # udev | computed
    boot_medium: str | None = None  # kernel name of the whole device that holds the mounted system
    settled: bool

    def block_device(self, name: str) -> BlockDevice | None:
        """The device of this kernel name, if there is one."""
        return next((device for device in self.block_devices if device.name == name), None)
