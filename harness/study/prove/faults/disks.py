"""Faults of the disk set: a disk is missing, is added, or is exchanged for another."""

from __future__ import annotations

import copy

from lxml import etree

from harness.domain.disk_mapping import MappedDisk
from harness.domain.disk_names import RESCUE
from harness.domain.rendering import NewDisk, render_disk
from harness.domain.xml import disk_target
from harness.scenario.words import ClaimName, DeviceType, DiskBus, Role
from harness.study.prove.faults.draft import Draft, NotApplicable, child
from harness.study.prove.faults.fault import Edit, Fault


def _without(role: Role) -> Edit:
    return lambda draft: draft.devices.remove(draft.first(role))


def _without_rescue(draft: Draft) -> None:
    draft.devices.remove(draft.rescue)


def _two_volumes(draft: Draft) -> tuple[etree._Element, etree._Element]:
    volumes = draft.disks(Role.VOLUME)
    if len(volumes) < 2:
        raise NotApplicable("fewer than two volumes")
    return volumes[0], volumes[1]


def _sources_swapped(draft: Draft) -> None:
    one, other = _two_volumes(draft)
    for tag in ("driver", "source"):
        first, second = child(one, tag), child(other, tag)
        one.append(second)
        other.append(first)


def _source_replaced(draft: Draft) -> None:
    source = child(draft.first(Role.VOLUME), "source[@file]")
    source.set("file", f"{source.get('file')}.other")


def _same_source(copied: etree._Element, disk: etree._Element) -> None:
    for tag in ("driver", "source"):
        disk.replace(child(disk, tag), copy.deepcopy(child(copied, tag)))


def _root_is_rescue_image(draft: Draft) -> None:
    _same_source(draft.rescue, draft.root_disk)


def _rescue_is_root(draft: Draft) -> None:
    _same_source(draft.root_disk, draft.rescue)


def _wrong_rescue_bus(draft: Draft) -> None:
    on_virtio = disk_target(draft.rescue)[1] == DiskBus.VIRTIO
    draft.rescue.set("device", "disk")
    draft.put_on_bus(draft.rescue, DiskBus.SATA if on_virtio else DiskBus.VIRTIO)


def _wrong_rescue_device(draft: Draft) -> None:
    if disk_target(draft.rescue)[1] not in {DiskBus.SATA, DiskBus.IDE, DiskBus.SCSI}:
        raise NotApplicable("no bus that tells disks from CD-ROMs")
    rescue = draft.rescue
    rescue.set("device", "cdrom" if rescue.get("device") == "disk" else "disk")
    for read_only in rescue.findall("readonly"):
        rescue.remove(read_only)


def _second_new_disk(draft: Draft) -> None:
    second = copy.deepcopy(draft.root_disk)
    for tag in ("boot", "serial"):
        for element in second.findall(tag):
            second.remove(element)
    child(second, "source").set("file", "/instances/second-rescue-disk")
    draft.put_on_bus(second, DiskBus.VIRTIO)
    draft.devices.append(second)


def _rescue_disk_before_rescue(draft: Draft) -> None:
    disk = MappedDisk(RESCUE, Role.ROOT, DiskBus.VIRTIO, DeviceType.DISK, "vdz")
    draft.devices.append(render_disk(NewDisk(disk), draft.placement))


DISK_FAULTS = (
    Fault(
        "volume-missing",
        "a volume is left out of the rescue",
        ClaimName.ALL_PRESENT,
        rescued=_without(Role.VOLUME),
    ),
    Fault(
        "ephemeral-missing",
        "an ephemeral disk is left out of the rescue",
        ClaimName.ALL_PRESENT,
        rescued=_without(Role.EPHEMERAL),
    ),
    Fault(
        "swap-missing",
        "the swap disk is left out of the rescue",
        ClaimName.ALL_PRESENT,
        rescued=_without(Role.SWAP),
    ),
    Fault(
        "config-drive-missing",
        "the config drive is left out of the rescue",
        ClaimName.ALL_PRESENT,
        rescued=_without(Role.CONFIG_DRIVE),
    ),
    Fault(
        "never-attached",
        "a volume is missing before the rescue already",
        ClaimName.ALL_PRESENT,
        normal=_without(Role.VOLUME),
    ),
    Fault(
        "volumes-swapped",
        "two volumes have changed contents, each under the other's serial",
        ClaimName.CONTENT,
        rescued=_sources_swapped,
    ),
    Fault(
        "another-volume",
        "another file is in a volume's place",
        ClaimName.CONTENT,
        rescued=_source_replaced,
    ),
    Fault(
        "rescue-image-as-root",
        "the rescue image is the root disk's content as well",
        ClaimName.CONTENT,
        rescued=_root_is_rescue_image,
    ),
    Fault(
        "root-as-rescue-image",
        "the root disk's content is on the rescue disk as well",
        ClaimName.CONTENT,
        rescued=_rescue_is_root,
    ),
    Fault(
        "no-rescue-disk",
        "there is no rescue disk",
        ClaimName.ONLY_ADDITION,
        rescued=_without_rescue,
    ),
    Fault(
        "wrong-rescue-bus",
        "the rescue disk is on another bus than the image asks for",
        ClaimName.ONLY_ADDITION,
        rescued=_wrong_rescue_bus,
    ),
    Fault(
        "wrong-rescue-device",
        "the rescue disk is a CD-ROM where a disk was asked for, or a disk where a CD-ROM was",
        ClaimName.ONLY_ADDITION,
        rescued=_wrong_rescue_device,
    ),
    Fault(
        "second-new-disk",
        "another new disk comes with the rescue disk",
        ClaimName.ONLY_ADDITION,
        rescued=_second_new_disk,
    ),
    Fault(
        "rescue-disk-before-rescue",
        "the running instance has the rescue disk already",
        ClaimName.ONLY_ADDITION,
        normal=_rescue_disk_before_rescue,
    ),
)
