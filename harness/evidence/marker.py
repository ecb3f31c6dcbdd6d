"""Define the blocks that the harness plants at the end of every disk, by which it recognises the disk under any name.

Layout, from the end of the disk: the last 4096 bytes are the marker block (who this disk is, never changed in a
guest), the 4096 bytes before them the data block (zeros, or a token written by a guest). Both are text padded with
zeros.
"""

from __future__ import annotations

import json

from harness.evidence.inventory import Marker

BLOCK_BYTES = 4096
DATA_MAGIC = "RESCUE-HARNESS-DATA"
_MARKER_MAGIC = "RESCUE-HARNESS-MARKER"


def marker_offset(disk_bytes: int) -> int:
    """Return the start of the marker block on a disk of this size, both in bytes.

    Raises ValueError for a disk that has no room for the blocks or is no multiple of 4096 bytes.
    """
    if disk_bytes < 2 * BLOCK_BYTES or disk_bytes % BLOCK_BYTES:
        raise ValueError(f"a disk of {disk_bytes} bytes can hold no marker: it takes a multiple of 4096, at least 8192")
    return disk_bytes - BLOCK_BYTES


def data_offset(disk_bytes: int) -> int:
    """Return the start of the data block on a disk of this size, both in bytes; raise ValueError like marker_offset."""
    return marker_offset(disk_bytes) - BLOCK_BYTES


def marker_block(marker: Marker) -> bytes:
    """Return the 4096 bytes that say which disk this is; raise ValueError if name and token do not fit."""
    return _padded(f"{_MARKER_MAGIC}\n{json.dumps({'disk': marker.disk, 'token': marker.token})}\n")


def data_block(token: str) -> bytes:
    """Return the 4096 bytes a guest writes to prove that data stay; raise ValueError if the token is no single line."""
    if not token or "\n" in token or "\0" in token:
        raise ValueError(f"a data token is one line of text, not {token!r}")
    return _padded(f"{DATA_MAGIC}\n{token}\n")


def parse_marker(block: bytes) -> Marker | None:
    """Return the marker in a marker block; None if the block is anything else."""
    lines = _lines(block, _MARKER_MAGIC)
    if lines is None or len(lines) != 1:
        return None
    try:
        return Marker.model_validate_json(lines[0])
    except ValueError:
        return None


def parse_data(block: bytes) -> str | None:
    """Return the token in a data block; None if the block is zeros or anything else."""
    lines = _lines(block, DATA_MAGIC)
    return lines[0] if lines is not None and len(lines) == 1 and lines[0] else None


def _padded(text: str) -> bytes:
    content = text.encode()
    if len(content) > BLOCK_BYTES:
        raise ValueError(f"{len(content)} bytes do not fit a block of {BLOCK_BYTES}")
    return content.ljust(BLOCK_BYTES, b"\0")


def _lines(block: bytes, magic: str) -> list[str] | None:
    if len(block) != BLOCK_BYTES:
        return None
    try:
        lines = block.rstrip(b"\0").decode().split("\n")
    except UnicodeDecodeError:
        return None
    if lines[0] != magic or lines[-1]:
        return None
    return lines[1:-1]
