"""The files below overlays, which many instances share and none may write to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_BLOCK_BYTES = 1 << 20


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """Return a digest of each file's content by path. A file is read again only after a change of its status.

    A file that is missing has no digest.
    """
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        # Nobody can set the time of the last change of the status.
        found[str(path)] = _digest(path, status.st_ino, status.st_size, status.st_ctime_ns)
    return found


def changed_bases(before: Mapping[str, str], paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the names of the files that have another content than before, or are gone; new ones are nobody's yet."""
    after = digests(path for path in paths if str(path) in before)
    return tuple(Path(path).name for path, digest in before.items() if after.get(path) != digest)


@lru_cache(maxsize=64)
def _digest(path: Path, _inode: int, size_bytes: int, _changed_ns: int) -> str:
    digest = hashlib.blake2b(str(size_bytes).encode(), digest_size=16)
    with path.open("rb") as file:
        for number in _blocks_with_data(file, size_bytes):
            file.seek(number * _BLOCK_BYTES)
            block = file.read(_BLOCK_BYTES)
            if block.strip(b"\0"):
                digest.update(f"{number} ".encode())
                digest.update(block)
    return digest.hexdigest()


def _blocks_with_data(file: BinaryIO, size_bytes: int) -> Iterator[int]:
    """Return the numbers of the blocks that are not all hole."""
    number = 0
    while number * _BLOCK_BYTES < size_bytes:
        try:
            number = max(number, os.lseek(file.fileno(), number * _BLOCK_BYTES, os.SEEK_DATA) // _BLOCK_BYTES)
        except OSError:  # no data from here on
            return
        yield number
        number += 1
