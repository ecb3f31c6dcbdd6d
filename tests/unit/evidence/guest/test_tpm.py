"""What a guest's kernel tells of its TPM, as text to be compared."""

from __future__ import annotations

import struct

import pytest

from harness.evidence.guest.capture import Capture
from harness.evidence.guest.tpm import tpms

VERSION = "/sys/class/tpm/tpm0/tpm_version_major"
DRIVER = "/sys/class/tpm/tpm0/device/driver"


def response(body: bytes, code: int = 0) -> bytes:
    return struct.pack(">HII", 0x8001, 10 + len(body), code) + body


def captured(driver: str = "tpm_crb", answer: bytes | None = None) -> Capture:
    blobs = {"/dev/tpmrm0": response(b"a public area") if answer is None else answer}
    links = {DRIVER: f"/sys/class/bus/acpi/drivers/{driver}"}
    return Capture(True, frozenset(), {VERSION: ("2",)}, links, blobs)


def test_no_tpm_is_nothing_to_compare() -> None:
    assert tpms(Capture(True, frozenset(), {}, {}, {})) == {}


def test_tpm_is_told_by_version_driver_and_key() -> None:
    facts = tpms(captured())
    assert facts["tpm0"] == "TPM 2, driver tpm_crb"
    assert len(facts["tpm0 endorsement key"]) == 64


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        (captured(answer=response(b"a public area") + b"what a later read brought"), set()),
        (captured(driver="tpm_tis"), {"tpm0"}),
        (captured(answer=response(b"another area")), {"tpm0 endorsement key"}),
        (captured(answer=response(b"", 0x18B)), {"tpm0 endorsement key"}),
        (captured(answer=b""), {"tpm0 endorsement key"}),
    ],
    ids=["same", "another model", "another key", "no key", "not readable"],
)
def test_another_tpm_differs(changed: Capture, differs: set[str]) -> None:
    before, after = tpms(captured()), tpms(changed)
    assert {name for name in before if before[name] != after[name]} == differs
