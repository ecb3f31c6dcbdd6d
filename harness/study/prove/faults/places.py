"""Faults of place and name: disks have other addresses or other names than before."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from harness.domain.target_names import target_index, target_name
from harness.domain.xml import DriveAddress, controllers, disk_target, disks_of
from harness.scenario.words import ClaimName, DiskBus
from harness.study.prove.faults.draft import Draft, NotApplicable, child, drop_addresses
from harness.study.prove.faults.fault import Fault


def _rescue_first(draft: Draft) -> None:
    disks = [draft.rescue, *draft.on_bus(disk_target(draft.rescue)[1])]
    if len(disks) < 2:
        raise NotApplicable("no other disk on the rescue disk's bus")
    own, *others = [child(disk, "address") for disk in disks]
    for disk, address in zip(disks, [*others, own], strict=True):
        disk.append(address)


def _not_pinned(draft: Draft) -> None:
    if not draft.brought_controllers():
        raise NotApplicable("the rescue brings no controller that would take an address")
    drop_addresses(draft.devices)


def _two_swapped(draft: Draft) -> None:
    disks = draft.on_bus("virtio")
    if len(disks) < 2:
        raise NotApplicable("fewer than two virtio disks")
    one, other = child(disks[0], "address"), child(disks[-1], "address")
    disks[0].append(other)
    disks[-1].append(one)


def _targets_shifted(draft: Draft) -> None:
    for disk in disks_of(draft.root):
        name = disk_target(disk)[0]
        child(disk, "target").set("dev", target_name(name[:2], target_index(name) + 1))


def _among_its_like(draft: Draft) -> None:
    like = [bus for bus in (DiskBus.SCSI, DiskBus.SATA) if any(_is_disk(disk) for disk in draft.on_bus(bus))]
    if not like or not _is_disk(draft.rescue):
        raise NotApplicable("no disk that Linux names like the rescue disk")
    draft.put_on_bus(draft.rescue, like[0])


def _is_disk(disk: etree._Element) -> bool:
    return disk.get("device", "disk") in {"disk", "lun"}


def _next_lun(draft: Draft) -> None:
    on_virtio = {each.get("index") for each in controllers(draft.root, "scsi") if each.get("model") == "virtio-scsi"}
    disks = [disk for disk in draft.on_bus("scsi") if _is_disk(disk)]
    places = [place for disk in disks if (place := DriveAddress.of(disk)) and str(place.controller) in on_virtio]
    if not places or not _is_disk(draft.rescue):
        raise NotApplicable("no disk on virtio-scsi that Linux names like the rescue disk")
    last = max(places, key=lambda place: (place.controller, place.target, place.unit))
    draft.put_on_bus(draft.rescue, DiskBus.SCSI)
    draft.rescue.append(etree.fromstring(replace(last, unit=last.unit + 1).as_xml()))


PLACE_FAULTS = (
    Fault(
        "rescue-disk-first",
        "the rescue disk takes the address of the first disk on its bus, and each disk that of the next",
        ClaimName.ADDRESSES,
        rescued=_rescue_first,
    ),
    Fault(
        "addresses-not-pinned",
        "libvirt hands out all addresses anew, and the rescue disk's controller takes one of them",
        ClaimName.ADDRESSES,
        rescued=_not_pinned,
    ),
    Fault(
        "two-disks-swapped",
        "two virtio disks have changed slots, so that every slot still has a disk",
        ClaimName.ADDRESSES,
        rescued=_two_swapped,
    ),
    Fault(
        "target-names-shifted",
        "each disk has the target name after its own",
        ClaimName.NAMES,
        rescued=_targets_shifted,
    ),
    Fault(
        "rescue-disk-on-used-target",
        "the rescue disk is one more LUN of a virtio-scsi target, of which Linux finds the newest first",
        ClaimName.NAMES,
        rescued=_next_lun,
    ),
    Fault(
        "rescue-disk-among-its-like",
        "the rescue disk is on a bus with disks of the instance, and Linux names them as they arrive",
        ClaimName.NAMES,
        rescued=_among_its_like,
    ),
)
