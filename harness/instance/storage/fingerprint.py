"""The changes on a disk while a state ran, seen from the host with the guest off."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from harness.domain.placement import DiskSource
from harness.evidence.guest.block_devices import MEDIUM
from harness.evidence.inventory import BlockDevice, Inventory
from harness.evidence.marker import data_offset, marker_offset
from harness.instance.storage.disk_image import raw_view
from harness.verdict.expected import ByteRange

CHUNK_BYTES = 4096
Fingerprint = tuple[bytes, ...]
"""One digest per 4 KiB chunk, in order; the digest of an all-zero chunk is empty."""
_ZERO = bytes(CHUNK_BYTES)
_READ_BYTES = 256 * CHUNK_BYTES


def fingerprint(source: DiskSource, scratch: Path) -> Fingerprint:
    """Return the digests of all chunks of a disk.

    Raises:
        HostError: the image cannot be read.
    """
    with raw_view(source, scratch) as path, path.open("rb") as file:
        blocks = iter(partial(file.read, _READ_BYTES), b"")
        return tuple(digest for block in blocks for digest in _digests(block))


def _digests(block: bytes) -> Iterator[bytes]:
    for start in range(0, len(block), CHUNK_BYTES):
        chunk = block[start : start + CHUNK_BYTES]
        yield b"" if chunk == _ZERO else hashlib.blake2b(chunk, digest_size=16).digest()


def changed_ranges(
    before: Fingerprint, after: Fingerprint, *, allowed_offsets: Sequence[int] = ()
) -> tuple[tuple[int, int], ...]:
    """Return the byte ranges (start, end) that differ, except the allowed chunks.

    If the size changed, the last range extends to the end.
    """
    allowed = {offset // CHUNK_BYTES for offset in allowed_offsets}
    changed = [
        index
        for index, (old, new) in enumerate(zip(before, after, strict=False))
        if old != new and index not in allowed
    ]
    changed += range(min(len(before), len(after)), max(len(before), len(after)))
    ranges: list[tuple[int, int]] = []
    for index in changed:
        start, end = index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    return tuple(ranges)


def disk_changes(
    before: Mapping[str, Fingerprint],
    after: Mapping[str, Fingerprint],
    written: Collection[str] = (),
    marked: Collection[str] = (),
) -> dict[str, tuple[ByteRange, ...]]:
    """Return the changes of each disk between two moments without a guest, but for intended writes."""
    changes = {}
    for name, chunks in after.items():
        if name not in before:
            continue
        size_bytes = len(before[name]) * CHUNK_BYTES
        allowed = [data_offset(size_bytes)] * (name in written) + [marker_offset(size_bytes)] * (name in marked)
        ranges = changed_ranges(before[name], chunks, allowed_offsets=allowed)
        if ranges:
            changes[name] = tuple(ByteRange(start_bytes=start, end_bytes=end) for start, end in ranges)
    return changes


def joined_changes(*changes: Mapping[str, tuple[ByteRange, ...]]) -> dict[str, tuple[ByteRange, ...]]:
    """Join the changes of each disk."""
    names = dict.fromkeys(name for each in changes for name in each)
    return {name: tuple(part for each in changes for part in each.get(name, ())) for name in names}


def unwritten(disks: Mapping[str, Fingerprint], normal: Inventory) -> dict[str, Fingerprint]:
    """Return the disks to which the normal guest does not write.

    The rescue causes all changes on these disks before the rescued guest starts. The disks are not in use as swap, no
    device mapper or md has them, and they are mounted nowhere except as the medium, which is read-only.
    """
    in_use = {
        device.marker.disk
        for device in normal.block_devices
        if device.marker is not None and _is_in_use(device, normal.active_swaps)
    }
    return {name: chunks for name, chunks in disks.items() if name not in in_use}


def _is_in_use(device: BlockDevice, swaps: Sequence[str]) -> bool:
    nodes = {device.name, *(partition.name for partition in device.partitions)}
    return bool(set(device.mounted_at) - {MEDIUM} or device.held_by or nodes & set(swaps))
