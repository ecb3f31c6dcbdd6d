"""A refused rescue leaves everything as it was; whatever it has touched is a finding beside the refusal."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import GuestAfter
from harness.verdict.expected import ByteRange
from harness.verdict.refusing import Traces, after_refusal

from ..support.verdict_inventories import Key, keys

BEFORE = Traces(
    run="first", live_xml="<live/>", defined_xml="<saved/>", variables="digest", files={"root.qcow2": "1", "log": ""}
)
RUNNING, SHUT_OFF = GuestAfter.RUNNING, GuestAfter.SHUT_OFF
OFF = BEFORE.model_copy(update={"run": None, "live_xml": None})


def after(**values: Any) -> Traces:
    return BEFORE.model_copy(update=values)


HARM: dict[str, tuple[GuestAfter, Traces, set[Key]]] = {
    "untouched": (RUNNING, BEFORE, set()),
    "off, as was said": (SHUT_OFF, OFF, set()),
    "off": (RUNNING, OFF, {("restored", "instance", "running", "off")}),
    "booted again": (RUNNING, after(run="second"), {("restored", "instance", "running", "booted again")}),
    "on again": (SHUT_OFF, after(run="second"), {("restored", "instance", "running", "booted again")}),
    "a device unplugged": (RUNNING, after(live_xml="<less/>"), {("restored", "running-domain", "saved", "different")}),
    "another definition": (RUNNING, after(defined_xml="<new/>"), {("restored", "domain", "saved", "different")}),
    "no definition": (RUNNING, after(defined_xml=None), {("restored", "domain", "saved", "missing")}),
    "other UEFI variables": (RUNNING, after(variables="other"), {("restored", "nvram", "saved", "different")}),
    "no UEFI variables": (RUNNING, after(variables=None), {("restored", "nvram", "saved", "different")}),
    "a disk left over": (
        SHUT_OFF,
        OFF.model_copy(update={"files": BEFORE.files | {"disk.rescue": ""}}),
        {("restored", "folder", "no file", "disk.rescue")},
    ),
    "a disk removed": (RUNNING, after(files={"log": ""}), {("restored", "folder", "root.qcow2", "no file")}),
    "a disk written to": (
        RUNNING,
        after(files={"root.qcow2": "2", "log": ""}),
        {("restored", "folder", "root.qcow2", "root.qcow2, written to")},
    ),
}


@pytest.mark.parametrize(("said", "found", "expected_keys"), HARM.values(), ids=HARM.keys())
def test_a_refusal_that_does_harm_is_found(said: GuestAfter, found: Traces, expected_keys: set[Key]) -> None:
    assert keys(after_refusal(said, BEFORE, found, {})) == expected_keys


def test_bytes_that_a_refused_rescue_has_written_are_data() -> None:
    changes = {"volume1": (ByteRange(start_bytes=0, end_bytes=4096),)}
    assert keys(after_refusal(RUNNING, BEFORE, BEFORE, changes)) == {("data", "volume1", "unchanged", "bytes 0-4095")}
