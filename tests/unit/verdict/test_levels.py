"""What a level cannot see is neither passed nor missed, and a guest may prove the harness's own model wrong."""

from __future__ import annotations

import pytest

from harness.evidence.inventory import Inventory, KernelNames, State
from harness.scenario.models import Expectation, ExpectedFinding
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.verdict.claims import compare_rescued
from harness.verdict.coverage import blind_to, claim_statuses
from harness.verdict.finding import Finding
from harness.verdict.not_told import NotTold, not_reached
from harness.verdict.outcome import meets, verdict_of
from harness.verdict.prediction import contradictions

from ..support.verdict_inventories import EXPECTED, block, marker_of

LINKS = ExpectedFinding(claim=ClaimName.LINKS, device="root")
NAMES = ExpectedFinding(claim=ClaimName.NAMES, device="root")
MOVED_NAME = Finding(claim=ClaimName.NAMES, device="root", before="vda", after="vdb", message="vda -> vdb")


def status(level: Level, claim: ClaimName, *findings: Finding) -> str:
    return next(entry.status for entry in claim_statuses(level, findings) if entry.claim is claim)


def test_a_claim_is_never_held_where_it_is_not_seen() -> None:
    for level in (Level.PLAN, Level.MACHINE):
        assert status(level, ClaimName.DATA) == status(level, ClaimName.LINKS) == "not-checked"
        assert status(level, ClaimName.BOOTED_FROM_RESCUE) == "partly"
        assert status(level, ClaimName.ALL_PRESENT) == "held"
    assert {entry.status for entry in claim_statuses(Level.GUEST, ())} == {"held"}
    assert status(Level.PLAN, ClaimName.IDENTITY) == "partly"
    assert status(Level.MACHINE, ClaimName.IDENTITY) == "held"


def test_a_broken_claim_is_broken_at_any_level_that_sees_it() -> None:
    assert status(Level.PLAN, ClaimName.NAMES, MOVED_NAME) == "broken"
    race = MOVED_NAME.model_copy(update={"cause": "kernel-race"})
    assert status(Level.GUEST, ClaimName.NAMES, race) == "held"


def of_case(status: str, *untold: NotTold, findings: tuple[Finding, ...] = ()) -> set[ClaimName]:
    return {each.claim for each in claim_statuses(Level.GUEST, findings, untold) if each.status == status}


def test_a_claim_about_a_state_that_did_not_come_about_is_not_held() -> None:
    rescued, unrescued = not_reached(State.RESCUED), not_reached(State.UNRESCUED)
    assert of_case("not-checked", *rescued, *unrescued) == {*ClaimName}
    assert of_case("not-checked", *unrescued) == {ClaimName.RESTORED, ClaimName.DATA}
    assert of_case("partly", *unrescued) == {ClaimName.BOOTED_FROM_RESCUE}
    assert of_case("held", *rescued) == {ClaimName.RESTORED, ClaimName.DATA}
    assert of_case("broken", *rescued, findings=(MOVED_NAME,)) == {ClaimName.NAMES}


def test_what_a_guest_does_not_tell_is_not_held() -> None:
    untold = NotTold(ClaimName.LINKS, "by-id of root, which a guest does not tell")
    (links,) = [each for each in claim_statuses(Level.GUEST, (), (untold, untold)) if each.claim is ClaimName.LINKS]
    assert (links.status, links.unseen) == ("partly", untold.what)
    assert status(Level.GUEST, ClaimName.NAMES) == "held"


@pytest.mark.parametrize("level", Level)
def test_an_expected_finding_is_missed_only_where_its_claim_is_seen(level: Level) -> None:
    expectation = Expectation(verdict=VerdictName.MOVED, findings=(NAMES, LINKS))
    mismatch = meets(expectation, VerdictName.MOVED, (MOVED_NAME,), level=level)
    assert (mismatch is None) == (ClaimName.LINKS in blind_to(level))


def test_a_finding_expected_at_some_levels_is_unexpected_at_others() -> None:
    at_plan = NAMES.model_copy(update={"levels": (Level.PLAN,)})
    also = ExpectedFinding(claim=ClaimName.ADDRESSES, device="root")
    moved = Finding(claim=ClaimName.ADDRESSES, device="root", before="a", after="b", message="a -> b")
    expectation = Expectation(verdict=VerdictName.MOVED, findings=(at_plan, also))
    assert meets(expectation, VerdictName.MOVED, (MOVED_NAME, moved), level=Level.PLAN) is None
    assert meets(expectation, VerdictName.MOVED, (moved,), level=Level.GUEST) is None
    assert meets(expectation, VerdictName.MOVED, (MOVED_NAME, moved), level=Level.GUEST) is not None


def test_deeper_level_wins() -> None:
    assert Level.PLAN.or_deeper(Level.GUEST) is Level.GUEST
    assert Level.MACHINE.or_deeper(Level.PLAN) is Level.MACHINE


def domain(*names: str, usual: tuple[str, ...] | None = None) -> Inventory:
    predicted = KernelNames(usual=usual or names, possible=names)
    return inventory_of(block("sdb", "volume1", "0000:03:00.0", predicted=predicted), Level.PLAN)


def inventory_of(device: object, level: Level) -> Inventory:
    return Inventory.model_validate(
        {"level": level, "block_devices": (device,), "network_interfaces": (), "pci_devices": (), "usb_devices": ()}
    )


def guest(name: str, address: str = "0000:03:00.0") -> Inventory:
    return inventory_of(block(name, "volume1", address), Level.GUEST)


def test_a_guest_that_does_as_predicted_contradicts_nothing() -> None:
    assert contradictions(State.NORMAL, domain("sda", "sdb"), guest("sdb")) == ()


def two_disks(level: Level, *addresses: str) -> Inventory:
    first, second = (
        block(f"sd{letter}", disk, address)
        for letter, disk, address in zip("ab", ("volume1", "volume2"), addresses, strict=True)
    )
    return inventory_of(first, level).model_copy(update={"block_devices": (first, second)})


def test_bytes_that_were_written_to_another_disk_say_nothing_of_the_model() -> None:
    predicted = two_disks(Level.PLAN, "0000:03:00.0", "0000:04:00.0")
    exchanged = two_disks(Level.GUEST, "0000:04:00.0", "0000:03:00.0")
    assert contradictions(State.RESCUED, predicted, exchanged) == ()
    assert {finding.device for finding in contradictions(State.NORMAL, predicted, exchanged)} == {"volume1", "volume2"}
    copies = inventory_of(block("sdb", "volume1", "0000:09:00.0"), Level.GUEST)
    copied = copies.model_copy(update={"block_devices": (*copies.block_devices, *exchanged.block_devices)})
    assert contradictions(State.RESCUED, predicted, copied) == ()


def test_a_name_or_an_address_nobody_predicted_is_a_finding_about_the_model() -> None:
    found = contradictions(State.RESCUED, domain("sda", "sdb"), guest("sdc", "0000:04:00.0"))
    assert [(finding.claim, finding.before, finding.after) for finding in found] == [
        (ClaimName.NAMES, "sda|sdb", "sdc"),
        (ClaimName.ADDRESSES, "pci 0000:03:00.0", "pci 0000:04:00.0"),
    ]
    assert verdict_of(found) is VerdictName.STABLE
    mismatch = meets(Expectation(verdict=VerdictName.STABLE), VerdictName.STABLE, found)
    assert mismatch is not None
    assert len(mismatch.unexpected) == 2


def test_a_disk_of_another_case_is_not_compared() -> None:
    stranger = inventory_of(
        block("sdz", "volume1", "0000:09:00.0", marker=marker_of("volume1", "foreign")), Level.GUEST
    )
    assert contradictions(State.NORMAL, domain("sda"), stranger) == ()


NAME_SETS = {
    "the usual name is another": (("sda", "sdb"), ("sda",), ("sda", "sdb"), ("sdb",), ("sda", "sdb")),
    "a certain name is by chance": (("sda",), ("sda",), ("sda", "sdb"), ("sda", "sdb"), ("sda", "sda or sdb")),
    "a usual name is by chance": (("sda", "sdb"), ("sda",), ("sda", "sdb"), ("sda", "sdb"), ("sda", "sda or sdb")),
    "a set grows": (
        ("sda", "sdb"),
        ("sda", "sdb"),
        ("sda", "sdb", "sdc"),
        ("sda", "sdb", "sdc"),
        ("sda or sdb", "sda..sdc"),
    ),
    "a set shrinks": (("sda", "sdb"), ("sda", "sdb"), ("sda",), ("sda",), None),
    "the usual name stays, with a device behind it": (("sda",), ("sda",), ("sda", "sdb"), ("sda",), None),
    "a usual set stays, with a device behind it": (
        ("sda", "sdb"),
        ("sda", "sdb"),
        ("sda", "sdb", "sdc"),
        ("sda", "sdb"),
        None,
    ),
}


@pytest.mark.parametrize(("old", "old_usual", "new", "new_usual", "told"), NAME_SETS.values(), ids=NAME_SETS.keys())
def test_without_a_guest_all_names_that_linux_may_give_are_compared(
    old: tuple[str, ...],
    old_usual: tuple[str, ...],
    new: tuple[str, ...],
    new_usual: tuple[str, ...],
    told: tuple[str, str] | None,
) -> None:
    before, after = domain(*old, usual=old_usual), domain(*new, usual=new_usual)
    named = [finding for finding in compare_rescued(before, after, EXPECTED) if finding.claim is ClaimName.NAMES]
    assert [(finding.before, finding.after) for finding in named] == ([] if told is None else [told])
    assert all(finding.message.endswith(", by chance") is (len(new_usual) > 1) for finding in named)


@pytest.mark.parametrize(
    ("planned", "seen", "contradicts"),
    [(None, None, False), (False, None, False), (False, False, False), (True, True, False), (True, None, True)],
)
def test_secure_boot_counts_once_a_guest_has_shown_it(
    *, planned: bool | None, seen: bool | None, contradicts: bool
) -> None:
    inventory = domain("sda").model_copy(update={"secure_boot": planned})
    booted = guest("sda").model_copy(update={"secure_boot": seen})
    found = contradictions(State.NORMAL, inventory, booted)
    assert [(each.device, each.before, each.after) for each in found] == (
        [("firmware", "secure boot on", "secure boot off")] if contradicts else []
    )


def test_a_rescue_system_that_shows_no_uefi_variables_contradicts_nothing() -> None:
    planned = domain("sda").model_copy(update={"secure_boot": True})
    hidden = guest("sda").model_copy(update={"secure_boot": None, "firmware": "uefi"})
    assert contradictions(State.RESCUED, planned, hidden) == ()
    assert contradictions(State.NORMAL, planned, hidden)
    assert contradictions(State.RESCUED, planned, hidden.model_copy(update={"firmware": "bios"}))
