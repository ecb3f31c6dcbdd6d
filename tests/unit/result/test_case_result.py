from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from harness.instance.storage.fingerprint import changed_ranges
from harness.result.case_result import result_schema
from harness.result.folders import folder_name

CHUNK = 4096


def test_folder_of_a_case_needs_no_quoting() -> None:
    assert folder_name("usb-disk[pc-none]#2") == "usb-disk-pc-none-2"


def test_changed_ranges_are_joined_and_allowed_chunks_left_out() -> None:
    before = (b"a", b"b", b"c", b"d", b"e")
    after = (b"a", b"x", b"y", b"d", b"z")
    assert changed_ranges(before, after) == ((CHUNK, 3 * CHUNK), (4 * CHUNK, 5 * CHUNK))
    assert changed_ranges(before, after, allowed_offsets=[4 * CHUNK]) == ((CHUNK, 3 * CHUNK),)


def test_shrunk_disk_has_changed_to_its_end() -> None:
    assert changed_ranges((b"a", b"b", b"c"), (b"a",)) == ((CHUNK, 3 * CHUNK),)


def test_published_result_schema_is_the_models() -> None:
    published = json.loads((Path(__file__).parents[3] / "harness/result/result.schema.json").read_text())
    assert published == result_schema()
    jsonschema.Draft202012Validator.check_schema(published)
