"""Media from which nothing boots have neither a boot sector nor El Torito's boot record."""

from __future__ import annotations

from pathlib import Path

from harness.instance.storage.unbootable import blank_medium, data_iso

_SECTOR = 2048
_FIRST_DESCRIPTOR, _TERMINATOR = 16, 255


def test_a_blank_medium_has_no_byte_but_zero(tmp_path: Path) -> None:
    content = blank_medium(tmp_path)
    assert not any(content.path.read_bytes())
    assert content.size_bytes == content.path.stat().st_size == 1 << 20


def test_an_iso_of_data_has_no_boot_record(tmp_path: Path) -> None:
    content = data_iso(tmp_path).path.read_bytes()
    assert content[510:512] != b"\x55\xaa"
    kinds = []
    for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + 8):
        descriptor = content[number * _SECTOR : (number + 1) * _SECTOR]
        assert descriptor[1:6] == b"CD001"
        kinds.append(descriptor[0])
        if descriptor[0] == _TERMINATOR:
            break
    assert kinds == [1, _TERMINATOR], "no boot record, which is a descriptor of kind 0"
