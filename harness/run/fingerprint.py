"""What changed on a disk while a state ran, seen from the host with the guest off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from harness.domain.placement import DiskSource
from harness.run.disk_image import raw_view

CHUNK_BYTES = 4096
Fingerprint = tuple[bytes, ...]
"""One digest per 4 KiB chunk, in order; an all-zero chunk has an empty one."""
_ZERO = bytes(CHUNK_BYTES)
_READ_BYTES = 256 * CHUNK_BYTES


def fingerprint(source: DiskSource, scratch: Path) -> Fingerprint:
    """The digests of every chunk of a disk.

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
    """Byte ranges (start, end) that differ, but for the allowed chunks; a changed size is a range to the end."""
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
