"""Control boots tell a rescue that renames disks from a kernel that never named them twice alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.evidence.inventory import KernelNames, State
from harness.scenario.words import ClaimName, VerdictName
from harness.verdict.claims import compare_rescued, compare_unrescued
from harness.verdict.finding import Finding
from harness.verdict.names import DiskNames, by_domains, remarks
from harness.verdict.outcome import verdict_of
from harness.verdict.race import is_shown_to_race, needs_control_boots, settle_by_controls

from ..support.verdict_inventories import (
    EXPECTED,
    NORMAL,
    RESCUED,
    UNRESCUED,
    address_of,
    changed,
    edited,
    nic,
    without,
)

if TYPE_CHECKING:
    from harness.evidence.inventory import Inventory


VOLUMES = ("volume1", "volume2")
ELSEWHERE = address_of("0000:00:09.0")


def boots(base: Inventory, *namings: str, disks: tuple[str, ...] = ("root", "volume1", "volume2")) -> list[Inventory]:
    """One boot per naming: the last letters of the names of the disks, as in "abc"."""
    made = []
    for number, naming in enumerate(namings):
        inventory = edited(base, boot_id=f"{base.boot_id}-{number}")
        for disk, letter in zip(disks, naming, strict=True):
            inventory = changed(inventory, disk, name=f"sd{letter}")
        boot_medium = {"normal": f"sd{naming[0]}", "unrescued": f"sd{naming[0]}"}.get(base.boot_id, "sdz")
        inventory = changed(inventory, "rescue", name="sdz")
        made.append(edited(inventory, boot_medium=boot_medium))
    return made


def causes(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.device: finding.cause for finding in findings}


def settled(normal: list[Inventory], rescued: list[Inventory]) -> tuple[Finding, ...]:
    return settle_by_controls(compare_rescued(normal[0], rescued[0], EXPECTED), EXPECTED, normal, rescued)


CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]] = {
    "constant and equal": (("abc",) * 4, ("abc",) * 4, {}),
    "constant and different": (("abc",) * 4, ("acb",) * 4, {"volume1": "rescue", "volume2": "rescue"}),
    "varying in both states": (
        ("abc", "acb", "abc", "abc"),
        ("acb", "abc", "abc", "acb"),
        {"volume1": "kernel-race", "volume2": "kernel-race"},
    ),
    "varying in the normal state only": (
        ("abc", "acb", "abc", "abc"),
        ("acb",) * 4,
        {"volume1": "kernel-race", "volume2": "kernel-race"},
    ),
    "varying while rescued only": (
        ("abc",) * 4,
        ("acb", "abc", "acb", "abc"),
        {"volume1": "kernel-race", "volume2": "kernel-race"},
    ),
    "one constant and moved, two racing": (
        ("abc", "acb", "abc", "acb"),
        ("bac", "bca", "bac", "bca"),
        {"root": "rescue", "volume1": "kernel-race", "volume2": "kernel-race"},
    ),
    "a race that the first boots did not show": (
        ("abc", "acb", "abc", "abc"),
        ("abc", "abc", "abc", "abc"),
        {"volume1": "kernel-race", "volume2": "kernel-race"},
    ),
    "no control boots": (("abc",), ("acb",), {"volume1": "rescue", "volume2": "rescue"}),
}


@pytest.mark.parametrize(("normal", "rescued", "expected_causes"), CASES.values(), ids=CASES.keys())
def test_a_name_is_blamed_on_who_changed_it(
    normal: tuple[str, ...], rescued: tuple[str, ...], expected_causes: dict[str, str]
) -> None:
    assert causes(settled(boots(NORMAL, *normal), boots(RESCUED, *rescued))) == expected_causes


def test_rate_counts_the_boots_that_named_it_otherwise_than_the_first() -> None:
    found = settled(boots(NORMAL, "abc", "abc", "acb", "abc"), boots(RESCUED, "acb", "abc", "abc", "acb"))
    assert {finding.rate for finding in found} == {"3 of 8 boots named it otherwise"}
    assert str(found[0]) == "volume1: sdb -> sdc (kernel race, 3 of 8 boots named it otherwise)"


def test_a_race_alone_leaves_the_case_stable() -> None:
    assert verdict_of(settled(boots(NORMAL, "abc", "acb"), boots(RESCUED, "acb", "abc"))) is VerdictName.STABLE
    assert verdict_of(settled(boots(NORMAL, "abc", "abc"), boots(RESCUED, "acb", "acb"))) is VerdictName.MOVED


BROKEN = {
    "another address": {
        disk: {"address": address_of(f"0000:00:09.{number}")} for number, disk in enumerate(("volume1", "volume2"))
    },
    "another serial": {disk: {"serial": f"another {disk}"} for disk in ("volume1", "volume2")},
    "no marker": {disk: {"marker": None} for disk in ("volume1", "volume2")},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_control_boots_are_for_names_over_intact_addresses_and_identities(broken: dict[str, dict[str, Any]]) -> None:
    (normal,), (rescued,) = boots(NORMAL, "abc"), boots(RESCUED, "acb")
    assert needs_control_boots(compare_rescued(normal, rescued, EXPECTED)) == (State.NORMAL, State.RESCUED)
    for disk, traits in broken.items():
        rescued = changed(rescued, disk, **traits)
    assert needs_control_boots(compare_rescued(normal, rescued, EXPECTED)) == ()


def test_no_control_boots_without_a_changed_name() -> None:
    assert needs_control_boots(compare_rescued(NORMAL, RESCUED, EXPECTED)) == ()
    assert needs_control_boots(compare_rescued(NORMAL, without(RESCUED, "volume1"), EXPECTED)) == ()


def letters(text: str) -> KernelNames:
    """The names of "abc/abcd": usual ones before the slash, possible ones behind it."""
    usual, _, possible = text.partition("/")
    return KernelNames(
        usual=tuple(f"sd{letter}" for letter in usual), possible=tuple(f"sd{letter}" for letter in possible or usual)
    )


def predicted(normal: str, other: str, *disks: str) -> dict[tuple[State, str], DiskNames]:
    """The names that Linux may give these disks, or the volumes, in the normal domain and in another."""
    names = DiskNames(letters(normal), letters(other))
    return {(State.RESCUED, disk): names for disk in disks or VOLUMES}


DOUBT: dict[str, tuple[str, str, bool]] = {
    "any name is possible in both domains": ("bc", "bc", True),
    "the normal domain cannot give the new name": ("b", "b", False),
    "each domain can give its own name only": ("b", "c", False),
    "the rescue makes the names uncertain": ("b", "bc", False),
    "a further name is possible": ("bc", "bcd", False),
    "a further name is possible, but not usual": ("bc", "bc/bcd", True),
}


@pytest.mark.parametrize(("normal_names", "rescued_names", "is_in_doubt"), DOUBT.values(), ids=DOUBT.keys())
def test_a_name_is_in_doubt_only_if_the_normal_domain_may_give_it(
    normal_names: str, rescued_names: str, *, is_in_doubt: bool
) -> None:
    (normal,), (rescued,) = boots(NORMAL, "abc"), boots(RESCUED, "acb")
    found = [finding for finding in compare_rescued(normal, rescued, EXPECTED) if finding.device == "volume1"]
    both = (State.NORMAL, State.RESCUED) if is_in_doubt else ()
    assert needs_control_boots(found, predicted(normal_names, rescued_names)) == both


def judged(
    names: dict[tuple[State, str], DiskNames], normal: tuple[str, ...], rescued: tuple[str, ...]
) -> list[tuple[str, str, str, str]]:
    """The findings about names, as a case comes to them at level guest."""
    first, other = boots(NORMAL, *normal), boots(RESCUED, *rescued)
    found = by_domains(compare_rescued(first[0], other[0], EXPECTED), names)
    if needs_control_boots(found, names):
        found = settle_by_controls(found, EXPECTED, first, other, predicted=names)
    return sorted(
        (finding.device, finding.before, finding.after, finding.cause) for finding in found if finding.is_about_a_name
    )


@pytest.mark.parametrize("seen", ["a", "b"])
def test_a_rescue_device_that_makes_a_certain_name_uncertain_is_to_blame_whatever_it_is_named(seen: str) -> None:
    names = predicted("a", "ab", "root")
    assert judged(names, ("abc",), (f"{seen}bc",)) == [("root", "sda", "sda or sdb", "rescue")]


@pytest.mark.parametrize("seen", ["abc", "acb", "acd", "adc", "bcd"])
def test_a_set_of_names_that_grows_is_one_finding_for_each_disk_whatever_the_names(seen: str) -> None:
    names = predicted("abc", "abcd", "root", "volume1", "volume2")
    found = judged(names, ("abc",), (seen,))
    assert found == [(disk, "sda..sdc", "sda..sdd", "rescue") for disk in ("root", "volume1", "volume2")]


def test_a_name_that_the_normal_domain_cannot_give_is_never_a_race() -> None:
    names = predicted("bc", "bc/bcd")
    found = judged(names, ("abc", "acb", "abc", "acb"), ("adb", "abd", "adb", "abd"))
    assert ("volume1", "sdb", "sdd", "rescue") in found
    assert ("volume2", "sdc", "sdd", "rescue") in found
    assert not [each for each in found if "sdd" in each and each[3] != "rescue"]


def test_a_name_that_the_normal_domain_cannot_give_counts_in_a_control_boot_as_well() -> None:
    names = predicted("bc", "bc/bcd")
    first, other = boots(NORMAL, "abc", "acb"), boots(RESCUED, "acb", "abd")
    found = settle_by_controls(compare_rescued(first[0], other[0], EXPECTED), EXPECTED, first, other, predicted=names)
    (blamed,) = [finding for finding in found if finding.cause == "rescue"]
    assert str(blamed) == "volume2: sdc -> sdd in 1 of 2 boots of the rescued state"
    assert verdict_of(found) is VerdictName.MOVED


def test_names_that_may_race_in_both_domains_are_left_to_control_boots() -> None:
    names = predicted("bc", "bc")
    raced = judged(names, ("abc", "acb"), ("acb", "abc"))
    assert {cause for *_, cause in raced} == {"kernel-race"}
    assert {cause for *_, cause in judged(names, ("abc", "abc"), ("acb", "acb"))} == {"rescue"}


def test_the_finding_about_names_says_which_one_the_guest_gave() -> None:
    (normal,), (rescued,) = boots(NORMAL, "abc"), boots(RESCUED, "bac")
    found = by_domains(compare_rescued(normal, rescued, EXPECTED), predicted("a", "ab", "root"))
    (of_root,) = [finding for finding in found if finding.device == "root"]
    assert str(of_root) == "root: in Linux sda -> sda or sdb, by chance; seen as sdb"


def test_a_name_that_both_domains_are_sure_of_is_told_as_the_guest_showed_it() -> None:
    (normal,), (rescued,) = boots(NORMAL, "abc"), boots(RESCUED, "bac")
    found = by_domains(compare_rescued(normal, rescued, EXPECTED), predicted("a", "b", "root"))
    assert [str(finding) for finding in found if finding.device == "root"] == ["root: sda -> sdb"]


def test_a_domain_that_is_not_given_back_alike_is_a_finding_of_restored() -> None:
    (normal,), (unrescued,) = boots(NORMAL, "abc"), boots(UNRESCUED, "abc")
    names = {(State.UNRESCUED, "root"): DiskNames(letters("a"), letters("ab"))}
    (finding,) = by_domains(compare_unrescued(normal, None, unrescued, EXPECTED), names)
    assert (finding.claim, finding.aspect, finding.after) == (ClaimName.RESTORED, ClaimName.NAMES, "sda or sdb")


def test_usual_names_with_a_further_device_behind_them_are_a_remark() -> None:
    assert list(remarks(predicted("bc", "bc"))) == []
    assert list(remarks(predicted("b", "bc"))) == []
    assert list(remarks(predicted("bc", "bc/bcd"))) == [
        "Linux usually finds it after volume1, volume2, and nothing guarantees the names"
    ]


@pytest.mark.parametrize(
    ("normal", "rescued", "is_over"),
    [
        pytest.param(("abc", "abc"), ("acb",), False, id="nothing varies"),
        pytest.param(("abc", "acb", "abc"), ("acb",), True, id="normal boots vary"),
        pytest.param(("abc", "acb"), ("cab",), False, id="one disk has one name in each state"),
        pytest.param(("abc", "abc"), ("acb", "abc"), True, id="rescued boots vary"),
        pytest.param(("abc", "acb"), ("bac",), False, id="one varies, another has moved"),
    ],
)
def test_a_race_that_is_shown_needs_no_more_boots(
    normal: tuple[str, ...], rescued: tuple[str, ...], *, is_over: bool
) -> None:
    first, other = boots(NORMAL, *normal), boots(RESCUED, *rescued)
    assert is_shown_to_race(compare_rescued(first[0], other[0], EXPECTED), EXPECTED, first, other) is is_over


def test_a_race_that_was_there_before_the_rescue_needs_no_more_boots() -> None:
    first, other = boots(NORMAL, "abc", "acb"), boots(RESCUED, "acb")
    found = compare_rescued(first[0], other[0], EXPECTED)
    assert not is_shown_to_race(found, EXPECTED, first, other), "the second normal boot came after the rescue"
    assert is_shown_to_race(found, EXPECTED, first, other, boots_before=2)
    raced = settle_by_controls(found, EXPECTED, first, other, boots_before=2)
    assert set(causes(raced).values()) == {"kernel-race"}


@pytest.mark.parametrize("before", [1, 2])
def test_a_name_that_the_rescue_changed_for_good_is_no_race(before: int) -> None:
    normal, rescued = boots(NORMAL, *("abc",) * before, "acb", "acb"), boots(RESCUED, *("acb",) * 4)
    after = [*boots(UNRESCUED, "acb"), *normal[before:]]
    found = (
        *compare_rescued(normal[0], rescued[0], EXPECTED),
        *compare_unrescued(normal[0], rescued[0], after[0], EXPECTED),
    )
    judged = settle_by_controls(found, EXPECTED, normal, rescued, after, boots_before=before)
    assert {finding.cause for finding in judged} == {"rescue"}
    assert {finding.claim for finding in judged} == {ClaimName.NAMES, ClaimName.RESTORED}


def test_a_moved_disk_stays_rescues_doing_however_its_name_varies() -> None:
    normal = boots(NORMAL, "abc", "acb")
    rescued = [changed(boot, "volume1", address=ELSEWHERE) for boot in boots(RESCUED, "acb", "abc")]
    found = settled(normal, rescued)
    assert {(finding.claim, finding.cause) for finding in found if finding.device == "volume1"} == {
        (ClaimName.NAMES, "rescue"),
        (ClaimName.ADDRESSES, "rescue"),
    }


def test_unrescued_is_settled_by_boots_of_normal_and_unrescued() -> None:
    normal, rescued = boots(NORMAL, "abc", "abc", "acb"), boots(RESCUED, "abc")
    after = boots(UNRESCUED, "acb", "abc", "abc")
    found = compare_unrescued(normal[0], rescued[0], after[0], EXPECTED)
    assert needs_control_boots(found) == (State.NORMAL, State.UNRESCUED)
    raced = [f for f in settle_by_controls(found, EXPECTED, normal, rescued, after) if f.claim is ClaimName.RESTORED]
    assert causes(tuple(raced)) == {"volume1": "kernel-race", "volume2": "kernel-race"}
    constant = settle_by_controls(found, EXPECTED, boots(NORMAL, "abc", "abc"), rescued, boots(UNRESCUED, "acb", "acb"))
    assert causes(constant) == {"volume1": "rescue", "volume2": "rescue"}


def test_network_interfaces_race_like_disks() -> None:
    normal, rescued = [NORMAL, nic(NORMAL, name="eth1")], [nic(RESCUED, name="eth1"), RESCUED]
    (finding,) = settled(normal, rescued)
    assert (finding.claim, finding.device, finding.cause) == (ClaimName.OTHER_HARDWARE, "nic0", "kernel-race")
    (constant,) = settled([NORMAL, NORMAL], [nic(RESCUED, name="eth1"), nic(RESCUED, name="eth1")])
    assert constant.cause == "rescue"


def test_a_disk_that_a_control_boot_lacks_is_told() -> None:
    normal, rescued = boots(NORMAL, "abc", "abc"), boots(RESCUED, "acb", "acb")
    rescued[1] = without(rescued[1], "root")
    lost = [finding for finding in settled(normal, rescued) if finding.claim is ClaimName.ALL_PRESENT]
    assert [str(finding) for finding in lost] == [
        "root: missing, was sda at PCI 0000:03:00.0; in 1 of 2 boots of the rescued state"
    ]
    normal[1] = without(normal[1], "root")
    for is_hot in (False, True):
        found = settle_by_controls((), EXPECTED, normal, rescued[:1], is_hot=is_hot)
        assert f"root: missing in 1 of {1 if is_hot else 2} boots of the normal state" in map(str, found)


def test_whatever_a_control_boot_breaks_is_told() -> None:
    normal, rescued = boots(NORMAL, "abc", "abc", "abc"), boots(RESCUED, "acb", "abc", "acb")
    rescued[1] = edited(changed(rescued[1], "volume2", address=ELSEWHERE, serial="other"), boot_medium="sda")
    found = settled(normal, rescued)
    assert {finding.claim for finding in found if finding.cause == "rescue"} == {
        ClaimName.BOOTED_FROM_RESCUE,
        ClaimName.NAMES,
        ClaimName.ADDRESSES,
        ClaimName.IDENTITY,
    }
    (moved,) = (finding for finding in found if finding.claim is ClaimName.ADDRESSES)
    assert moved.message.endswith("; in 1 of 3 boots of the rescued state")
    assert verdict_of(found) is VerdictName.MOVED


def test_a_control_boot_of_a_hot_instance_is_not_compared_with_itself() -> None:
    normal, rescued = boots(NORMAL, "abc", "acb", "acb"), boots(RESCUED, "acb", "acb")
    after = [*boots(UNRESCUED, "acb"), *normal[1:]]
    found = compare_unrescued(normal[0], rescued[0], after[0], EXPECTED)
    settled_ones = settle_by_controls(found, EXPECTED, normal, rescued, after, is_hot=True)
    assert {finding.cause for finding in settled_ones} == {"reboot"}


def test_a_boot_of_both_normal_and_unrescued_is_counted_once() -> None:
    normal, again = boots(NORMAL, "abc", "acb", "abc", "abc"), boots(UNRESCUED, "acb")
    found = compare_unrescued(normal[0], None, again[0], EXPECTED)
    raced = settle_by_controls(found, EXPECTED, normal, (), [*again, *normal[1:]])
    rates = {finding.rate for finding in raced if finding.claim is ClaimName.RESTORED}
    assert rates == {"2 of 5 boots named it otherwise"}


HOT_CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]] = {
    "every boot gives the new names": (
        ("abc", "acb", "acb", "acb"),
        ("acb",) * 4,
        {"volume1": "reboot", "volume2": "reboot"},
    ),
    "no boot gives the names that the rescue has": (
        ("abc", "abc", "abc", "abc"),
        ("acb",) * 4,
        {"volume1": "rescue", "volume2": "rescue"},
    ),
    "a boot renames, and the rescue does so otherwise": (
        ("abc", "bac", "bac", "bac"),
        ("cab",) * 4,
        {"root": "rescue", "volume1": "reboot", "volume2": "rescue"},
    ),
    "names vary from boot to boot": (
        ("abc", "acb", "abc", "acb"),
        ("acb", "abc", "acb", "abc"),
        {"volume1": "kernel-race", "volume2": "kernel-race"},
    ),
    "the rescue has the names of the running guest, which no boot gives": (("abc", "acb", "acb"), ("abc",) * 3, {}),
    "no control boots": (("abc",), ("acb",), {"volume1": "rescue", "volume2": "rescue"}),
}


@pytest.mark.parametrize(("normal", "rescued", "expected_causes"), HOT_CASES.values(), ids=HOT_CASES.keys())
def test_a_name_given_while_the_guest_ran_may_go_with_any_reboot(
    normal: tuple[str, ...], rescued: tuple[str, ...], expected_causes: dict[str, str]
) -> None:
    first, other = boots(NORMAL, *normal), boots(RESCUED, *rescued)
    findings = settle_by_controls(compare_rescued(first[0], other[0], EXPECTED), EXPECTED, first, other, is_hot=True)
    assert causes(findings) == expected_causes
    by_rescue = "rescue" in expected_causes.values()
    assert verdict_of(findings) is (VerdictName.MOVED if by_rescue else VerdictName.STABLE)
    assert all("any reboot does it" in str(finding) for finding in findings if finding.cause == "reboot")
