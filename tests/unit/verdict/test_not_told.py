"""Evidence that got lost is neither equal nor different: it is named with its claim."""

from __future__ import annotations

import pytest

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.claims import compare_rescued, compare_unrescued
from harness.verdict.not_told import not_told

from ..support.verdict_inventories import EXPECTED, NORMAL, RESCUED, changed, edited, keys

LOST: dict[str, tuple[Inventory, str]] = {
    "secure boot": (edited(RESCUED, secure_boot=None), "firmware secure boot"),
    "SMBIOS of another kernel": (edited(RESCUED, kernel="6.12.0", dmi={}), "dmi table"),
    "the CPU's name": (edited(RESCUED, cpu_model=""), "cpu model"),
    "the firmware's interface": (edited(RESCUED, firmware=None), "firmware interface"),
}


@pytest.mark.parametrize(("rescued", "part"), LOST.values(), ids=LOST.keys())
def test_lost_evidence_is_no_finding_and_named_with_its_claim(rescued: Inventory, part: str) -> None:
    assert compare_rescued(NORMAL, rescued, EXPECTED) == ()
    for one, other in ((NORMAL, rescued), (rescued, NORMAL)):
        told = not_told(one, other, State.RESCUED, EXPECTED)
        assert (ClaimName.OTHER_HARDWARE, part) in told
    after_unrescue = not_told(NORMAL, rescued, State.UNRESCUED, EXPECTED)
    assert (ClaimName.RESTORED, part) in after_unrescue


def test_a_serial_number_that_one_kernel_does_not_tell_is_not_lost() -> None:
    rescued = changed(RESCUED, "volume1", serial=None, unknown=("serial",))
    assert compare_rescued(NORMAL, rescued, EXPECTED) == ()
    assert (ClaimName.IDENTITY, "serial of volume1") in not_told(NORMAL, rescued, State.RESCUED, EXPECTED)
    other = changed(rescued, "volume1", wwn="0x5000")
    assert keys(compare_rescued(NORMAL, other, EXPECTED)) == {("identity", "volume1", "wwn none", "wwn 0x5000")}


def test_what_no_state_tells_is_not_lost() -> None:
    normal, rescued = (edited(each, firmware="bios", secure_boot=None) for each in (NORMAL, RESCUED))
    told = not_told(normal, rescued, State.RESCUED, EXPECTED)
    assert not [each for each in told if each.claim is ClaimName.OTHER_HARDWARE]


LOCKED = edited(NORMAL, lockdown="integrity")
BACK = edited(LOCKED, boot_id="unrescued")
CHANGED: dict[str, tuple[Inventory, tuple[str, str]]] = {
    "kernel": (edited(BACK, kernel="6.12.0"), ("kernel 6.1.0", "kernel 6.12.0")),
    "command line": (
        edited(BACK, command_line="single"),
        (f"command line {NORMAL.command_line}", "command line single"),
    ),
    "lockdown": (edited(BACK, lockdown=None), ("lockdown integrity", "lockdown none")),
}


@pytest.mark.parametrize(("unrescued", "values"), CHANGED.values(), ids=CHANGED.keys())
def test_the_unrescued_instance_boots_its_own_kernel_as_before(unrescued: Inventory, values: tuple[str, str]) -> None:
    assert compare_unrescued(LOCKED, RESCUED, BACK, EXPECTED) == ()
    assert keys(compare_unrescued(LOCKED, RESCUED, unrescued, EXPECTED)) == {("restored", "guest", *values)}


def test_the_rescue_image_has_a_kernel_of_its_own() -> None:
    assert compare_rescued(LOCKED, edited(RESCUED, kernel="6.12.0", lockdown="none"), EXPECTED) == ()
