"""Model the place of a device as a value with parts, and make every text of it.

An address holds nothing that the kernel hands out by arrival: the PCI functions from the root bus down, and the unit on
the bus behind the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from harness.frozen import Frozen

_SUPERSPEED_MBIT = 5000


class GuestBus(StrEnum):
    """Buses of block devices as a guest tells them apart: to Linux IDE and SATA are both ATA."""

    VIRTIO = "virtio"
    SCSI = "scsi"
    ATA = "ata"
    USB = "usb"
    FLOPPY = "floppy"
    OTHER = "other"


class ScsiUnit(Frozen):
    """A unit on a SCSI controller; ``host`` counts the hosts of a controller that has several, from its first."""

    bus: Literal[GuestBus.SCSI] = GuestBus.SCSI
    host: int | None = None
    channel: int = 0
    target: int = 0
    lun: int = 0

    def __str__(self) -> str:
        unit = f"{self.channel}:{self.target}:{self.lun}"
        return unit if self.host is None else f"host {self.host} {unit}"


_FIRST_SCSI_UNIT = ScsiUnit()


class AtaUnit(Frozen):
    """A device on an ATA port, ports counted from 1; ``port`` is None where the kernel does not tell it.

    ``link`` is the port of a port multiplier, of which each has one device; 0 without one.
    """

    bus: Literal[GuestBus.ATA] = GuestBus.ATA
    port: int | None
    link: int = 0
    device: int = 0

    def __str__(self) -> str:
        port = "?" if self.port is None else str(self.port)
        return f"{port}.{self.link}.{self.device}" if self.link else f"{port}.{self.device}"


class UsbUnit(Frozen):
    """A USB device: its ports from the root hub down, such as ``3.2``, without the bus number, which is by arrival.

    ``superspeed``: the ports are among those of an xHCI controller's second root hub, which count anew. ``scsi`` is the
    unit behind the device where that is not the first one.
    """

    bus: Literal[GuestBus.USB] = GuestBus.USB
    ports: str
    superspeed: bool = False
    scsi: ScsiUnit | None = None

    @classmethod
    def at(cls, ports: str, speed_mbit: int, scsi: ScsiUnit | None = None) -> UsbUnit:
        """The device at these ports, told by its speed, and the SCSI unit behind the device, if it has any."""
        superspeed = speed_mbit >= _SUPERSPEED_MBIT
        return cls(ports=ports, superspeed=superspeed, scsi=None if scsi == _FIRST_SCSI_UNIT else scsi)

    def __str__(self) -> str:
        words = ("superspeed" if self.superspeed else "", self.ports, f"scsi {self.scsi}" if self.scsi else "")
        return _joined(*words)


class FloppyUnit(Frozen):
    """A drive of the floppy controller, which the guest finds by I/O ports and not on PCI."""

    bus: Literal[GuestBus.FLOPPY] = GuestBus.FLOPPY
    drive: int

    def __str__(self) -> str:
        return str(self.drive)


Unit = Annotated[ScsiUnit | AtaUnit | UsbUnit | FloppyUnit, Field(discriminator="bus")]

_LABELS: Mapping[GuestBus, str] = {
    GuestBus.SCSI: "SCSI",
    GuestBus.ATA: "ATA",
    GuestBus.USB: "USB port",
    GuestBus.FLOPPY: "floppy",
}


class Address(Frozen):
    """A place on the PCI tree, and on the bus behind it unless the PCI function is the device itself.

    ``pci_path`` has the functions from the root bus down. ``elsewhere`` is a guest's path in sysfs for a device that
    hangs on no PCI function.
    """

    pci_path: tuple[str, ...] = ()
    elsewhere: str = ""
    unit: Unit | None = None

    @property
    def function(self) -> str | None:
        """The PCI function that the device is, or hangs on."""
        return self.pci_path[-1] if self.pci_path else None

    @property
    def bus(self) -> GuestBus | None:
        """The bus behind the PCI function; None for the function itself."""
        return None if self.unit is None else self.unit.bus

    @property
    def label(self) -> str:
        """The name of the bus in a sentence; empty for a function itself."""
        return "" if self.unit is None else _LABELS[self.unit.bus]

    @property
    def path_text(self) -> str:
        """The functions from the root bus down."""
        return "/".join(self.pci_path)

    @property
    def unit_text(self) -> str:
        """The unit without its bus."""
        return "" if self.unit is None else str(self.unit)

    def __str__(self) -> str:
        """The address in a sentence, of the path the last function only: ``PCI 0000:00:03.0 SCSI 0:0:0``."""
        if self.elsewhere:
            return self.in_full
        return _joined(f"PCI {self.function}" if self.function else "", self.label, self.unit_text)

    @property
    def short(self) -> str:
        """The same without labels, as a finding's ``before`` or ``after``: ``0000:00:03.0 0:0:0``."""
        return self.in_full if self.elsewhere else _joined(self.function or "", self.unit_text)

    @property
    def in_full(self) -> str:
        """The address with its whole path: ``pci 0000:00:02.4/0000:05:00.0 scsi 0:0:1``."""
        path = f"pci {self.path_text}" if self.pci_path else self.elsewhere
        return _joined(path, self.bus or "", self.unit_text)


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)
