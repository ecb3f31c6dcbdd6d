"""Read the block devices of an inventory from a capture: whole devices with hardware behind them, and their partitions.

Devices without hardware of their own are left out (loop, ram, zram, device mapper, md, nbd); the hardware below them
is listed.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Literal

from harness.evidence.guest.attachment import SCSI_TYPE_CDROM, Attached, attached
from harness.evidence.guest.device_links import DeviceLinks, device_links
from harness.evidence.guest.links import LinkSource, computed_links
from harness.evidence.guest.stack import Stack, decoded
from harness.evidence.guest.sysfs_path import pci_path
from harness.evidence.inventory import BlockDevice, BlockKind, LinkFolder, Partition
from harness.evidence.marker import BLOCK_BYTES, parse_data, parse_marker

if TYPE_CHECKING:
    from harness.evidence.guest.capture import Capture

_SECTOR_BYTES = 512
MEDIUM = "/medium"
"""The place where our images mount the medium they booted from, read-only (images/guest/init)."""
_MEDIUM_MOUNT_POINTS = (MEDIUM, "/")
"""Where the medium of the running system is looked for, in this order."""


def links_from(capture: Capture) -> Literal["udev", "computed"]:
    """Return ``udev`` if the guest has links of its own below /dev/disk, else ``computed``."""
    return "udev" if any(path.startswith("/dev/disk/by-") for path in capture.links) else "computed"


def block_devices(capture: Capture, stack: Stack) -> tuple[BlockDevice, ...]:
    """Return every whole device, in the order of kernel names (vdb before vdaa); raise GuestError on bad data."""
    paths = capture.children("/sys/block")
    names = sorted(paths, key=lambda name: (len(name), name))
    partitions = {name: _partitions(capture, name) for name in names}
    attachments = {name: attached(capture, f"/sys/block/{name}", paths[name]) for name in names}
    computed = computed_links(
        LinkSource(
            name=name,
            pci=next(iter(reversed(pci_path(paths[name]))), None),
            attachment=attachments[name].source,
            partitions=tuple(partition.number for partition in partitions[name]),
        )
        for name in names
    )
    nodes = {name: (name, *(partition.name for partition in partitions[name])) for name in names}
    links = device_links(capture, nodes, computed, has_udev=links_from(capture) == "udev")
    return tuple(
        _block_device(capture, name, attachments[name], partitions=partitions[name], links=links[name], stack=stack)
        for name in names
    )


def active_swaps(capture: Capture) -> tuple[str, ...]:
    """Return the kernel names of the devices in use as swap; for a swap file, its path."""
    lines = capture.lines.get("/proc/swaps", ())[1:]
    return tuple(decoded(line.split()[0]).removeprefix("/dev/") for line in lines if line.strip())


def boot_medium(stack: Stack) -> str | None:
    """Return the kernel name of the disk with the running system's medium: mounted at /medium, else at /."""
    disks = (stack.disk_mounted_at(point) for point in _MEDIUM_MOUNT_POINTS)
    return next((disk for disk in disks if disk is not None), None)


def stack_of(capture: Capture) -> Stack:
    """Return all that lies over the guest's disks."""
    disks = capture.children("/sys/block")
    nodes = {partition.name: name for name in disks for partition in _partitions(capture, name)}
    return Stack(capture, nodes | {name: name for name in disks})


def _block_device(
    capture: Capture,
    name: str,
    attachment: Attached,
    *,
    partitions: tuple[Partition, ...],
    links: DeviceLinks,
    stack: Stack,
) -> BlockDevice:
    block = f"/sys/block/{name}"
    sectors = 0 if name in capture.without_medium else capture.number(f"{block}/size") or 0
    tail = capture.blobs.get(f"/dev/{name}", b"")
    is_whole = len(tail) == 2 * BLOCK_BYTES
    return BlockDevice(
        name=name,
        kind=_kind(capture, name),
        bus=attachment.bus,
        address=attachment.address,
        hctl=attachment.hctl,
        usb_port=attachment.usb_port,
        size_bytes=sectors * _SECTOR_BYTES,
        sector_bytes=capture.number(f"{block}/queue/logical_block_size") or _SECTOR_BYTES,
        serial=attachment.serial,
        wwn=attachment.wwn,
        vendor=attachment.vendor,
        model=attachment.model,
        driver=attachment.driver,
        unknown=attachment.unknown,
        read_only=capture.text(f"{block}/ro") == "1",
        removable=capture.text(f"{block}/removable") == "1",
        by_path=links.by_folder[LinkFolder.BY_PATH],
        by_id=links.by_folder[LinkFolder.BY_ID],
        by_uuid=links.by_folder[LinkFolder.BY_UUID],
        by_label=links.by_folder[LinkFolder.BY_LABEL],
        by_partuuid=links.by_folder[LinkFolder.BY_PARTUUID],
        by_partlabel=links.by_folder[LinkFolder.BY_PARTLABEL],
        contested=links.contested,
        computed_links=links.computed,
        partitions=partitions,
        mounted_at=stack.mounted_at.get(name, ()),
        held_by=stack.held_by.get(name, ()),
        marker=parse_marker(tail[BLOCK_BYTES:]) if is_whole else None,
        data_token=parse_data(tail[:BLOCK_BYTES]) if is_whole else None,
    )


def _kind(capture: Capture, name: str) -> BlockKind:
    if name.startswith("fd"):
        return BlockKind.FLOPPY
    is_cdrom = capture.text(f"/sys/block/{name}/device/type") == str(SCSI_TYPE_CDROM)
    return BlockKind.CDROM if is_cdrom else BlockKind.DISK


def _partitions(capture: Capture, name: str) -> tuple[Partition, ...]:
    prefix = f"/sys/block/{name}/"
    found = []
    for path in capture.lines:
        if path.startswith(prefix) and path.endswith("/partition"):
            folder = posixpath.dirname(path)
            found.append(
                Partition(
                    name=posixpath.basename(folder),
                    number=capture.number(path) or 0,
                    start_bytes=(capture.number(f"{folder}/start") or 0) * _SECTOR_BYTES,
                    size_bytes=(capture.number(f"{folder}/size") or 0) * _SECTOR_BYTES,
                )
            )
    return tuple(sorted(found, key=lambda partition: partition.number))
