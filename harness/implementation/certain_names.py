"""Find out whether a rescue device would make the kernel names of an instance's disks uncertain.

No place on a bus helps: Linux names SCSI, SATA, IDE and USB disks as they arrive (``harness.evidence.kernel_names``).
Virtio disks and floppies have names of their own, in a certain order. A USB disk beside disks on other buses is usually
the last.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.domain.disk_mapping import MappedDisk
from harness.errors import Refused
from harness.evidence.kernel_names import Slot, predict_names
from harness.evidence.plan.domain_disks import BUSES, block_kind
from harness.implementation.request import RescueRequest
from harness.scenario.words import DeviceType, DiskBus

_RESCUE = "the rescue device"


def require_certain_names(disks: Iterable[MappedDisk], request: RescueRequest, *, usb_cdrom_is_disk: bool) -> None:
    """Raise Refused if a rescue device would make the name of one of the instance's disks uncertain.

    ``usb_cdrom_is_disk``: see harness.hypervisor.connection.
    """
    if request.bus in (DiskBus.VIRTIO, DiskBus.FDC):
        return
    slots = [_slot(disk.name, disk.bus, disk.device, usb_cdrom_is_disk=usb_cdrom_is_disk) for disk in disks]
    rescue = _slot(_RESCUE, request.bus, request.device, usb_cdrom_is_disk=usb_cdrom_is_disk)
    before, after = predict_names(slots), predict_names([*slots, rescue])
    for disk, names in before.items():
        if not after[disk].are_usual_in(names):
            raise Refused(
                f"a rescue {request.device} on {request.bus} would make the kernel name of {disk} uncertain,"
                f" {names} -> {after[disk]}: rescue from {_instead(slots, rescue)}",
                refused_by="Linux",
            )


def _slot(name: str, bus: DiskBus, device: DeviceType, *, usb_cdrom_is_disk: bool) -> Slot:
    return Slot(name, block_kind(device, bus, usb_cdrom_is_disk=usb_cdrom_is_disk), BUSES[bus])


def _instead(slots: Iterable[Slot], rescue: Slot) -> str:
    """Return the device that makes no name uncertain: a virtio disk, or one of a kind that the instance lacks."""
    kinds = {slot.kind for slot in slots}
    others = [kind for kind in ("disk", "cdrom") if kind != rescue.kind and kind not in kinds]
    return " or ".join(["a disk on virtio", *(f"a {kind}" for kind in others)])
