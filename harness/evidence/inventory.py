"""Model everything that one state of a guest shows, as plain data. One model serves every level of evidence."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field

from harness.evidence.address import Address, GuestBus
from harness.frozen import Frozen
from harness.scenario.words import Level

NETWORK = "network"
DIRECT_KERNEL = "kernel"
"""The first boot medium if that is no block device."""


class State(StrEnum):
    """The three states of a case."""

    NORMAL = "normal"
    RESCUED = "rescued"
    UNRESCUED = "unrescued"


class BlockKind(StrEnum):
    """Block devices as a guest tells them apart."""

    DISK = "disk"
    CDROM = "cdrom"
    FLOPPY = "floppy"


class LinkFolder(StrEnum):
    """Folders below /dev/disk: by place, by the device's own words, and by the words of what is on it."""

    BY_PATH = "by-path"
    BY_ID = "by-id"
    BY_UUID = "by-uuid"
    BY_LABEL = "by-label"
    BY_PARTUUID = "by-partuuid"
    BY_PARTLABEL = "by-partlabel"


class Marker(Frozen):
    """The content that the harness planted on a disk: the disk's name in the scenario and a token of this case."""

    disk: str
    token: str


class Partition(Frozen):
    """A partition: kernel name, number, first sector and size in bytes."""

    name: str
    number: int
    start_bytes: int
    size_bytes: int


class KernelNames(Frozen):
    """Names that Linux may give a disk: all that are ``possible``, and the ``usual`` ones among them.

    One usual name means that the disk has an order among its like. Several mean that chance decides.
    """

    usual: tuple[str, ...]
    possible: tuple[str, ...]

    @classmethod
    def certain(cls, name: str) -> Self:
        """Return the one name that Linux can give."""
        return cls(usual=(name,), possible=(name,))

    @classmethod
    def by_chance(cls, names: Iterable[str]) -> Self:
        """Return names of which Linux may give any."""
        possible = tuple(names)
        return cls(usual=possible, possible=possible)

    def are_usual_in(self, other: KernelNames) -> bool:
        """Return whether Linux usually gives no name here that it does not usually give in ``other``."""
        return set(self.usual) <= set(other.usual)

    def __str__(self) -> str:
        """Return the usual names: ``sda``, ``sda or sdb``, ``sda..sdc``."""
        if len(self.usual) > 2:
            return f"{self.usual[0]}..{self.usual[-1]}"
        return " or ".join(self.usual)


class ComputedLinks(Frozen):
    """The links that udev is expected to make, if the guest has an udev to compare with.

    ``by_id`` is None if only an ioctl would tell. ``contested`` are links that several devices want: the order of
    arrival decides which one gets them.
    """

    by_path: tuple[str, ...]
    by_id: tuple[str, ...] | None
    contested: tuple[str, ...] = ()


class BlockDevice(Frozen):
    """One whole block device as far as the level sees it; ``name`` is the kernel's, without a guest libvirt's target.

    ``address`` identifies where the device sits. ``hctl`` is the raw SCSI H:C:T:L, whose host number is arrival order,
    and ``usb_port`` has a bus number that is. ``storage`` is how a domain has its bytes kept: format, encryption,
    who answers SCSI commands, whether they are thrown away at the end, and the server they come from. ``settings``, of
    this and of every other device, is what its definition or its machine says of it beside all that, value by name.
    """

    name: str
    kind: BlockKind
    bus: GuestBus
    address: Address
    hctl: str | None = None
    usb_port: str | None = None
    size_bytes: int | None
    sector_bytes: int
    serial: str | None = None
    wwn: str | None = None
    vendor: str | None = None
    model: str | None = None
    driver: str | None = None
    unknown: tuple[str, ...] = ()
    read_only: bool
    removable: bool
    storage: str | None = None
    settings: dict[str, str] = Field(default_factory=dict)
    traits: dict[str, str] = Field(default_factory=dict)
    by_path: tuple[str, ...] | None = None
    by_id: tuple[str, ...] | None = None
    by_uuid: tuple[str, ...] | None = None
    by_label: tuple[str, ...] | None = None
    by_partuuid: tuple[str, ...] | None = None
    by_partlabel: tuple[str, ...] | None = None
    contested: tuple[str, ...] = ()
    computed_links: ComputedLinks | None = None
    partitions: tuple[Partition, ...] = ()
    mounted_at: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()
    marker: Marker | None = None
    data_token: str | None = None
    predicted: KernelNames | None = None

    @property
    def pci_path(self) -> tuple[str, ...]:
        """The PCI functions from the root bus down; empty for what hangs on none."""
        return self.address.pci_path

    def links(self, folder: LinkFolder) -> tuple[str, ...] | None:
        """The device's links in a folder below /dev/disk, its partitions' among them; None where nothing tells."""
        return {
            LinkFolder.BY_PATH: self.by_path,
            LinkFolder.BY_ID: self.by_id,
            LinkFolder.BY_UUID: self.by_uuid,
            LinkFolder.BY_LABEL: self.by_label,
            LinkFolder.BY_PARTUUID: self.by_partuuid,
            LinkFolder.BY_PARTLABEL: self.by_partlabel,
        }[folder]


class NetworkInterface(Frozen):
    """A NIC with its kernel name and the name udev's net_id would give it."""

    name: str
    predictable_name: str | None
    mac: str
    address: Address
    driver: str | None
    settings: dict[str, str] = Field(default_factory=dict)
    traits: dict[str, str] = Field(default_factory=dict)


class PciDevice(Frozen):
    """A function on the PCI tree; ``path`` is its chain of bridges, itself last.

    Ids are the guest's and the machine's; ``model`` is libvirt's name for the device.
    """

    address: str
    path: tuple[str, ...]
    vendor_device: str
    subsystem: str
    class_code: str
    driver: str | None
    model: str | None = None
    settings: dict[str, str] = Field(default_factory=dict)
    traits: dict[str, str] = Field(default_factory=dict)


class UsbDevice(Frozen):
    """A USB device that is not a root hub; ``controller`` is its host controller's PCI address."""

    port: str
    controller: str
    vendor_product: str
    product: str
    settings: dict[str, str] = Field(default_factory=dict)


class Inventory(Frozen):
    """One state as far as its level sees it; facts that the level cannot see are None or empty.

    ``boot_medium`` is the name of the block device that holds the mounted system; without a guest, of the one that
    boots first, or ``NETWORK`` or ``DIRECT_KERNEL``. ``boot_order`` are all that are told to boot, in their turn.
    ``platform`` holds the parts of a domain beside the devices on PCI, USB and disk buses: machine type, firmware,
    UUID, CPU, serial ports; for a guest, its TPM. ``firmware`` is the interface that a guest's kernel found.
    ``secure_boot``: whether the firmware starts only signed code; None if that was not seen, as with BIOS.
    ``lockdown`` is the kernel's mode. ``undriven`` are the places of devices that a guest's kernel sees and has no
    driver for, as addresses in full; ``tpm`` is among them if a TPM is.
    """

    level: Level = Level.GUEST
    boot_id: str | None = None
    kernel: str | None = None
    command_line: str | None = None
    cpu_model: str | None = None
    dmi: dict[str, str] = Field(default_factory=dict)
    platform: dict[str, str] = Field(default_factory=dict)
    traits: dict[str, str] = Field(default_factory=dict)
    firmware: Literal["bios", "uefi"] | None = None
    secure_boot: bool | None = None
    lockdown: str | None = None
    block_devices: tuple[BlockDevice, ...]
    network_interfaces: tuple[NetworkInterface, ...]
    pci_devices: tuple[PciDevice, ...]
    usb_devices: tuple[UsbDevice, ...]
    undriven: tuple[str, ...] = ()
    active_swaps: tuple[str, ...] = ()
    links_from: Literal["udev", "computed"] | None = None
    udev_version: int | None = None
    boot_medium: str | None = None
    boot_order: tuple[str, ...] = ()
    settled: bool = True
    unsettled: str | None = None

    def block_device(self, name: str) -> BlockDevice | None:
        """Return the device of this kernel name, if there is one."""
        return next((device for device in self.block_devices if device.name == name), None)
