"""Base images: whoever writes to one is found, however they hide it."""

from __future__ import annotations

import os
from pathlib import Path

from harness.instance.storage.base_files import digests

MIB = 1 << 20


def test_a_byte_that_was_written_is_seen_though_the_time_was_set_back(tmp_path: Path) -> None:
    path = tmp_path / "base.raw"
    path.write_bytes(bytes(MIB) + b"content")
    status = path.stat()
    before = digests([path])
    with path.open("r+b") as file:
        file.seek(MIB + 1)
        file.write(b"O")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digests([path]) != before


def test_a_touched_file_and_one_with_another_hole_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "base.raw"
    path.write_bytes(b"content" + bytes(3 * MIB))
    before = digests([path])
    path.unlink()
    path.write_bytes(b"content")
    os.truncate(path, 3 * MIB + len(b"content"))
    os.utime(path)
    assert digests([path]) == before


def test_a_longer_file_and_a_missing_one_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "base.raw"
    path.write_bytes(b"content")
    before = digests([path])
    os.truncate(path, MIB)
    assert digests([path]) != before
    path.unlink()
    assert digests([path]) == {}
