"""An outcome is held against exactly what the scenario expects."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import GuestAfter, Refused
from harness.scenario.models import Expectation, ExpectedFinding
from harness.scenario.words import ClaimName, VerdictName
from harness.verdict.finding import Finding
from harness.verdict.outcome import meets, verdict_of


def finding(device: str = "root", after: str = "vdb", **values: Any) -> Finding:
    traits = {"claim": ClaimName.NAMES, "before": "vda", "message": f"vda -> {after}"} | values
    return Finding(device=device, after=after, **traits)


def moved(*entries: ExpectedFinding) -> Expectation:
    return Expectation(verdict=VerdictName.MOVED, findings=entries)


def entry(device: str = "root", **values: Any) -> ExpectedFinding:
    return ExpectedFinding(claim=values.pop("claim", ClaimName.NAMES), device=device, **values)


RACE = finding("volume1", cause="kernel-race", rate="3 of 8 boots named it otherwise")
STABLE = Expectation(verdict=VerdictName.STABLE)
REFUSED = Expectation(verdict=VerdictName.REFUSED, reason="no IDE")
SHUT_OFF = REFUSED.model_copy(update={"guest": GuestAfter.SHUT_OFF})
NO_IDE = Refused("no IDE on q35")
TOO_LATE = Refused("q35 has no IDE", guest=GuestAfter.SHUT_OFF)

VERDICTS = {
    "nothing found": ((), VerdictName.STABLE),
    "only a kernel race": ((RACE,), VerdictName.STABLE),
    "one by rescue": ((RACE, finding()), VerdictName.MOVED),
}


@pytest.mark.parametrize(("findings", "verdict"), VERDICTS.values(), ids=VERDICTS.keys())
def test_verdict_blames_rescue_alone(findings: tuple[Finding, ...], verdict: VerdictName) -> None:
    assert verdict_of(findings) is verdict


MET = {
    "stable": (STABLE, (), None),
    "stable but for a race": (STABLE, (RACE,), None),
    "exact": (moved(entry(before="vda", after="vdb")), (finding(),), None),
    "wildcard for many": (moved(entry("*")), (finding(), finding("volume1", "vdc")), None),
    "as many as were counted": (moved(entry("*", count=2)), (finding(), finding("volume1", "vdc")), None),
    "one of the counts": (moved(entry("*", count=[1, 3])), (finding(),), None),
    "two entries for one": (moved(entry("*"), entry("root")), (finding(),), None),
    "race beside the expected": (moved(entry()), (finding(), RACE), None),
    "lost in a race": (moved(entry("volume1", before="vda", after="vdc", unless_race=True)), (RACE,), None),
    "one of two lost in a race": (moved(entry(), entry("volume*", unless_race=True)), (finding(), RACE), None),
    "refused in any case": (REFUSED, (), Refused("q35 has No ide controller")),
    "refused with the guest off": (SHUT_OFF, (), TOO_LATE),
    "refused, and the harm that is known": (REFUSED.model_copy(update={"findings": (entry(),)}), (finding(),), NO_IDE),
}


@pytest.mark.parametrize(("expectation", "findings", "refusal"), MET.values(), ids=MET.keys())
def test_expected_outcome_is_met(
    expectation: Expectation, findings: tuple[Finding, ...], refusal: Refused | None
) -> None:
    verdict = VerdictName.REFUSED if refusal and not findings else verdict_of(findings)
    assert meets(expectation, verdict, findings, refusal) is None


UNMET = {
    "moved unexpectedly": (STABLE, VerdictName.MOVED, (finding(),), None, ["unexpected: names root: vda -> vdb"]),
    "expected finding absent": (
        moved(entry(after="vdc")),
        VerdictName.STABLE,
        (),
        None,
        ["expected but not found: names root: * -> vdc"],
    ),
    "more than were counted": (
        moved(entry("*", count=[1, 3])),
        VerdictName.MOVED,
        (finding(), finding("volume1", "vdc")),
        None,
        ["expected 1 or 3 of names *, but found 2"],
    ),
    "none, and some were counted": (
        moved(entry("*", count=2)),
        VerdictName.STABLE,
        (),
        None,
        ["expected but not found: names *"],
    ),
    "other value": (
        moved(entry(after="vdc")),
        VerdictName.MOVED,
        (finding(),),
        None,
        ["unexpected: names root: vda -> vdb", "expected but not found: names root: * -> vdc"],
    ),
    "other claim": (
        moved(entry(claim=ClaimName.LINKS)),
        VerdictName.MOVED,
        (finding(),),
        None,
        ["unexpected: names root: vda -> vdb", "expected but not found: links root"],
    ),
    "case of a device matters": (
        moved(entry("ROOT")),
        VerdictName.MOVED,
        (finding(),),
        None,
        ["unexpected: names root: vda -> vdb", "expected but not found: names ROOT"],
    ),
    "expected, but a race": (
        moved(entry("volume1")),
        VerdictName.STABLE,
        (RACE,),
        None,
        ["expected but not found: names volume1 (only as a kernel race, 3 of 8 boots named it otherwise)"],
    ),
    "may be lost in a race, and there is none": (
        moved(entry("volume1", unless_race=True)),
        VerdictName.STABLE,
        (),
        None,
        ["expected but not found: names volume1"],
    ),
    "may be lost in a race, of another device": (
        moved(entry("volume2", unless_race=True)),
        VerdictName.STABLE,
        (RACE,),
        None,
        ["expected but not found: names volume2"],
    ),
    "may be lost in a race, of another claim": (
        moved(entry("volume1", claim=ClaimName.ADDRESSES, unless_race=True)),
        VerdictName.STABLE,
        (RACE,),
        None,
        ["expected but not found: addresses volume1"],
    ),
    "refused unexpectedly": (
        STABLE,
        VerdictName.REFUSED,
        (),
        Refused("no IDE on q35"),
        ["unexpected: refused by reference: no IDE on q35"],
    ),
    "refused for another reason": (
        REFUSED,
        VerdictName.REFUSED,
        (),
        Refused("out of names"),
        ["unexpected: refused by reference: out of names; expected was: no IDE"],
    ),
    "refused with another guest": (
        SHUT_OFF,
        VerdictName.REFUSED,
        (),
        Refused("no IDE"),
        ["expected a refusal with the guest shut-off, but it is running"],
    ),
    "refused, and the guest is off": (
        REFUSED,
        VerdictName.REFUSED,
        (),
        TOO_LATE,
        ["expected a refusal with the guest running, but it is shut-off"],
    ),
    "the instance refused": (
        REFUSED,
        VerdictName.REFUSED,
        (),
        Refused("no IDE for the instance", guest=GuestAfter.NEVER_MADE),
        ["expected a refusal with the guest running, but it is never-made"],
    ),
    "refused for another reason with another guest": (
        SHUT_OFF,
        VerdictName.REFUSED,
        (),
        Refused("out of names", guest=GuestAfter.NEVER_MADE),
        [
            "unexpected: refused by reference: out of names; expected was: no IDE",
            "expected a refusal with the guest shut-off, but it is never-made",
        ],
    ),
    "not refused": (
        REFUSED,
        VerdictName.STABLE,
        (),
        None,
        ["expected a refusal (no IDE), but it was carried out: stable"],
    ),
    "refused after another rescue that moved something": (
        moved(entry()),
        VerdictName.MOVED,
        (finding(),),
        Refused("no IDE"),
        ["unexpected: refused by reference: no IDE"],
    ),
    "refused as expected, and harm done": (
        REFUSED,
        VerdictName.MOVED,
        (finding(),),
        Refused("no IDE on q35"),
        ["unexpected: names root: vda -> vdb"],
    ),
    "refused as expected, and the expected harm not done": (
        REFUSED.model_copy(update={"findings": (entry(),)}),
        VerdictName.REFUSED,
        (),
        NO_IDE,
        ["expected but not found: names root"],
    ),
    "error": (STABLE, VerdictName.ERROR, (), None, ["expected stable: ended in an error, so nothing is known"]),
}


@pytest.mark.parametrize(
    ("expectation", "verdict", "findings", "refusal", "sentences"), UNMET.values(), ids=UNMET.keys()
)
def test_every_difference_from_the_expectation_is_a_sentence(
    expectation: Expectation,
    verdict: VerdictName,
    findings: tuple[Finding, ...],
    refusal: Refused | None,
    sentences: list[str],
) -> None:
    mismatch = meets(expectation, verdict, findings, refusal)
    assert mismatch is not None
    assert list(mismatch.sentences) == sentences
    assert str(mismatch) == "\n".join(sentences)


BOOTS_NOTHING = "the instance itself boots nothing, in two boots: No bootable device"
UNFIT = Expectation(verdict=VerdictName.UNFIT, reason="boots NOTHING")


def test_an_unfit_instance_can_be_expected() -> None:
    assert meets(UNFIT, VerdictName.UNFIT, (), unfit=BOOTS_NOTHING) is None


@pytest.mark.parametrize(
    ("expectation", "verdict", "findings", "unfit", "sentence"),
    [
        (STABLE, VerdictName.UNFIT, (), BOOTS_NOTHING, f"unexpected: the instance is unfit: {BOOTS_NOTHING}"),
        (REFUSED, VerdictName.UNFIT, (), BOOTS_NOTHING, f"unexpected: the instance is unfit: {BOOTS_NOTHING}"),
        (
            UNFIT,
            VerdictName.UNFIT,
            (),
            "booted from volume1",
            "unexpected: the instance is unfit: booted from volume1; expected was: boots NOTHING",
        ),
        (
            UNFIT,
            VerdictName.STABLE,
            (),
            None,
            "expected an unfit instance (boots NOTHING), but it boots: stable",
        ),
        (
            moved(entry()),
            VerdictName.MOVED,
            (finding(),),
            BOOTS_NOTHING,
            f"unexpected: the instance is unfit: {BOOTS_NOTHING}",
        ),
    ],
)
def test_an_unfit_instance_that_was_not_expected_is_told(
    expectation: Expectation, verdict: VerdictName, findings: tuple[Finding, ...], unfit: str | None, sentence: str
) -> None:
    mismatch = meets(expectation, verdict, findings, unfit=unfit)
    assert mismatch is not None
    assert mismatch.sentences == (sentence,)
