"""Predict the names that Linux may give to a domain's disks from their places. Every guest boot checks the model.

- virtio-blk (vd): in the order in which the PCI functions are found; drivers/block/virtio_blk.c probes one by one.
- floppies (fd): the drive's number; drivers/block/floppy.c.
- all other disks (sd): by arrival. drivers/scsi/sd.c asks for asynchronous probing since Linux 5.1, and a disk takes
  its name while it is probed. A single disk is sda; of several, any may be any. No place on a SCSI, SATA or IDE
  controller comes before another: with Linux 6.12 on a busy host, LUN 0 of a later target was named before LUN 1 of
  the first one. USB disks usually come after these, since usb-storage waits a second (drivers/usb/storage/usb.c,
  delay_use).
- CD-ROMs (sr): by arrival as well. drivers/scsi/sr.c probes one by one, and libata scans its ports in order
  (drivers/ata/libata-core.c, async_port_probe), but sr is loaded while disks arrive, and hosts are scanned side by
  side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.domain.target_names import target_name
from harness.evidence.address import GuestBus
from harness.evidence.inventory import BlockKind, KernelNames

MEGARAID_CHANNEL = 2
"""Channel of logical disks in drivers/scsi/megaraid, as all of QEMU's are; earlier ones are for physical disks."""


@dataclass(frozen=True)
class Slot:
    """The place of a disk. ``host`` orders PCI functions as Linux finds them; ``drive`` is a floppy drive's number."""

    disk: str
    kind: BlockKind
    bus: GuestBus
    host: int = 0
    drive: int = 0


def predict_names(slots: Sequence[Slot]) -> dict[str, KernelNames]:
    """Return the kernel names of all disks of a domain, by ``Slot.disk``."""
    names: dict[str, KernelNames] = {}
    virtio = sorted((slot for slot in slots if slot.bus is GuestBus.VIRTIO), key=lambda slot: slot.host)
    for index, slot in enumerate(virtio):
        names[slot.disk] = KernelNames.certain(target_name("vd", index))
    others = [slot for slot in slots if slot.bus is not GuestBus.VIRTIO]
    for slot in others:
        if slot.kind is BlockKind.FLOPPY:
            names[slot.disk] = KernelNames.certain(f"fd{slot.drive}")
    optical = [slot for slot in others if slot.kind is BlockKind.CDROM]
    names |= _by_arrival(optical, [f"sr{index}" for index in range(len(optical))])
    disks = [slot for slot in others if slot.kind is BlockKind.DISK]
    names |= _by_arrival(disks, [target_name("sd", index) for index in range(len(disks))])
    return names


def _by_arrival(slots: Iterable[Slot], possible: Sequence[str]) -> dict[str, KernelNames]:
    """Return the names of disks that arrive by chance, those on USB usually last."""
    on_usb = {slot.disk: slot.bus is GuestBus.USB for slot in slots}
    first_on_usb = len(on_usb) - sum(on_usb.values())
    return {
        disk: KernelNames(
            usual=tuple(possible[first_on_usb:] if is_on_usb else possible[:first_on_usb]), possible=tuple(possible)
        )
        for disk, is_on_usb in on_usb.items()
    }
