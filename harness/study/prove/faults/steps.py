"""Faults that show only on an instance that steps have changed: its state at the first boot comes back."""

from __future__ import annotations

from lxml import etree

from harness.domain.disk_mapping import MappedDisk, default_serial
from harness.domain.disk_names import RESCUE
from harness.domain.rendering import NewDisk, render_disk
from harness.domain.target_names import first_free_target
from harness.domain.xml import disk_target, disks_of
from harness.scenario.steps import AttachVolume, DetachNic, DetachVolume, RescueFrom
from harness.scenario.words import ClaimName, DeviceType, DiskBus, Role
from harness.study.prove.faults.draft import Draft, NotApplicable, child, drop_addresses
from harness.study.prove.faults.fault import Fault


def _gaps_closed(draft: Draft) -> None:
    if not any(isinstance(step, DetachVolume | DetachNic) for step in draft.steps):
        raise NotApplicable("nothing was detached")
    drop_addresses(device for device in draft.devices if device.tag != "controller")


def _attached(draft: Draft) -> etree._Element:
    """Return the last volume of the instance, if steps have attached one."""
    if not any(isinstance(step, AttachVolume) for step in draft.steps):
        raise NotApplicable("no volume was attached")
    return draft.disks(Role.VOLUME)[-1]


def _attached_left_out(draft: Draft) -> None:
    draft.devices.remove(_attached(draft))


def _detached_back(draft: Draft) -> None:
    for step in draft.steps:
        if isinstance(step, DetachVolume) and step.detach not in draft.placement.mapping.by_name:
            target = first_free_target(DiskBus.VIRTIO, {disk_target(disk)[0] for disk in disks_of(draft.root)})
            serial = default_serial(step.detach)
            disk = MappedDisk(step.detach, Role.VOLUME, DiskBus.VIRTIO, DeviceType.DISK, target, serial)
            draft.devices.append(render_disk(NewDisk(disk), draft.placement))
            return
    raise NotApplicable("no volume was detached")


def _below_the_snapshot(draft: Draft) -> None:
    for name, source in draft.placement.sources.items():
        if source.below is not None:
            disk = draft.disk(name)
            child(disk, "source").set("file", str(source.below.path))
            child(disk, "driver").set("type", source.below.format)
            return
    raise NotApplicable("no snapshot was taken")


def _earlier_medium(draft: Draft) -> None:
    positions = [position for position, step in enumerate(draft.steps) if isinstance(step, RescueFrom)]
    if not positions:
        raise NotApplicable("no rescue from another medium went before")
    earlier = f"{RESCUE}-of-step-{positions[-1] + 1}.qcow2"
    child(draft.rescue, "source").set("file", str(draft.placement.sources[RESCUE].path.with_name(earlier)))


STEP_FAULTS = (
    Fault(
        "gaps-closed",
        "libvirt hands out all addresses anew, which closes the gap that a detached device has left",
        ClaimName.ADDRESSES,
        rescued=_gaps_closed,
    ),
    Fault(
        "attached-volume-left-out",
        "a volume that was attached while the instance ran is left out of the rescue",
        ClaimName.ALL_PRESENT,
        rescued=_attached_left_out,
    ),
    Fault(
        "attached-volume-forgotten",
        "a volume that was attached while the instance ran is missing after the unrescue",
        ClaimName.RESTORED,
        unrescued=_attached_left_out,
    ),
    Fault(
        "detached-volume-rescued",
        "a volume that was detached while the instance ran is back in the rescue",
        ClaimName.ONLY_ADDITION,
        rescued=_detached_back,
    ),
    Fault(
        "detached-volume-back",
        "a volume that was detached while the instance ran is back after the unrescue",
        ClaimName.RESTORED,
        unrescued=_detached_back,
    ),
    Fault(
        "earlier-medium",
        "the rescue takes the medium that the instance was rescued from before, which was another",
        ClaimName.ONLY_ADDITION,
        rescued=_earlier_medium,
    ),
    Fault(
        "rescue-below-the-snapshot",
        "the rescue has the file below the overlay that a snapshot has made",
        ClaimName.CONTENT,
        rescued=_below_the_snapshot,
    ),
    Fault(
        "unrescue-below-the-snapshot",
        "the unrescued instance has the file below the overlay that a snapshot has made",
        ClaimName.RESTORED,
        unrescued=_below_the_snapshot,
    ),
)
