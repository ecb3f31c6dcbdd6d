"""Predict the names that Linux will give to a domain's disks from their places. Every guest boot checks the model.

- virtio-blk (vd): in the order in which the PCI functions are found; drivers/block/virtio_blk.c probes one by one.
- floppies (fd): the drive's number; drivers/block/floppy.c.
- CD-ROMs (sr) and all other disks (sd): by arrival, and drivers/scsi/sd.c asks for asynchronous probing. A single one
  is sr0 or sda; of several, any may be any. The usual order is that of the controllers, virtio-scsi after those that
  need no virtio_pci first, and on each that of the scan: channel, target, then LUN 0, then the newest LUN first, for
  that is how QEMU answers REPORT LUNS (drivers/scsi/scsi_scan.c, scsi_report_lun_scan). Ports of a SATA or IDE
  controller are probed side by side: several disks there have no usual order (drivers/ata/libata-core.c,
  async_port_probe). A USB stick usually comes after all of them, since usb-storage waits a second
  (drivers/usb/storage/usb.c, delay_use); several have no order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.domain.target_names import target_name
from harness.evidence.address import GuestBus
from harness.evidence.inventory import BlockKind, KernelNames

MEGARAID_CHANNEL = 2
"""Channel of logical disks in drivers/scsi/megaraid, as all of QEMU's are; earlier ones are for physical disks."""


@dataclass(frozen=True)
class Slot:
    """The place of a disk. ``host`` orders controllers as Linux finds them, ``created`` orders disks as QEMU made them.

    ``on_virtio``: the controller is virtio-scsi, which exists only once virtio_pci has made a device of it.
    """

    disk: str
    kind: BlockKind
    bus: GuestBus
    host: int
    channel: int = 0
    target: int = 0
    lun: int = 0
    created: int = 0
    on_virtio: bool = False


def predict_names(slots: Sequence[Slot]) -> dict[str, KernelNames]:
    """Return the kernel names of all disks of a domain, by ``Slot.disk``."""
    names: dict[str, KernelNames] = {}
    virtio = sorted((slot for slot in slots if slot.bus is GuestBus.VIRTIO), key=lambda slot: slot.host)
    for index, slot in enumerate(virtio):
        names[slot.disk] = _certain(target_name("vd", index))
    for slot in slots:
        if slot.kind is BlockKind.FLOPPY:
            names[slot.disk] = _certain(f"fd{slot.lun}")
    others = [slot for slot in slots if slot.bus is not GuestBus.VIRTIO and slot.kind is not BlockKind.FLOPPY]
    optical = [slot for slot in others if slot.kind is BlockKind.CDROM]
    names |= _by_arrival(optical, [f"sr{index}" for index in range(len(optical))])
    disks = [slot for slot in others if slot.kind is not BlockKind.CDROM]
    names |= _by_arrival(disks, [target_name("sd", index) for index in range(len(disks))])
    return names


def _certain(name: str) -> KernelNames:
    return KernelNames(usual=name, possible=(name,))


def _by_arrival(slots: Sequence[Slot], possible: Sequence[str]) -> dict[str, KernelNames]:
    usual = dict(zip(_usual_order(slots), possible, strict=False))
    return {slot.disk: KernelNames(usual=usual.get(slot.disk), possible=tuple(possible)) for slot in slots}


def _usual_order(disks: Sequence[Slot]) -> list[str]:
    """The disks that have a usual name, in order."""
    ata = [slot for slot in disks if slot.bus is GuestBus.ATA]
    usb = [slot for slot in disks if slot.bus is GuestBus.USB]
    if len(ata) > 1:
        return []
    on_pci = sorted((slot for slot in disks if slot.bus in (GuestBus.SCSI, GuestBus.ATA)), key=_scan_order)
    ordered = [*on_pci, *(usb if len(usb) == 1 else ())]
    return [slot.disk for slot in ordered]


def _scan_order(slot: Slot) -> tuple[int, ...]:
    return (slot.on_virtio, slot.host, slot.channel, slot.target, slot.lun != 0, -slot.created)
