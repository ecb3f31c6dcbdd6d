"""When a fault counts as caught, and when a proof is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults import Fault
from harness.study.prove.faults.draft import Draft
from harness.study.prove.proof import Control, Proof, Proofs, Trial
from harness.verdict.finding import Finding


def nothing(draft: Draft) -> None:
    del draft


SHALLOW = Fault("shallow", "shows in XML", ClaimName.NAMES, rescued=nothing)
DEEP = Fault("deep", "shows in a guest", ClaimName.CONTENT, rescued=nothing, level=Level.GUEST, case="one")


def trial(level: Level, *claims: ClaimName, **keys: Any) -> Trial:
    findings = tuple(Finding(claim=claim, device="root", before="a", after="b", message="a -> b") for claim in claims)
    return Trial("one", level, findings, **keys)


def proof(fault: Fault, *trials: Trial, depth: Level = Level.GUEST) -> Proof:
    return Proof(fault, depth, trials)


TEXT = Finding(claim=ClaimName.RESTORED, device="domain", before="saved", after="different", message="differs")
AFTERWARDS = Fault("afterwards", "shows once unrescued", ClaimName.RESTORED, unrescued=nothing)
OF_TEXT = replace(AFTERWARDS, is_of_text_alone=True)
BY_TEXT = Trial("one", Level.PLAN, (TEXT,))
BY_MORE = Trial("one", Level.PLAN, (TEXT, TEXT.model_copy(update={"device": "root"})))
NAMED, OTHER, NOTHING = (
    trial(Level.PLAN, ClaimName.IDENTITY, ClaimName.NAMES),
    trial(Level.PLAN, ClaimName.IDENTITY),
    trial(Level.PLAN),
)
IN_GUEST = trial(Level.GUEST, ClaimName.CONTENT)
REFUSED = trial(Level.PLAN, trouble="refused", reason="XML error")


@pytest.mark.parametrize(
    ("tried", "caught", "problem"),
    [
        (proof(SHALLOW, NAMED, NAMED), "2 of 2", None),
        (proof(SHALLOW, NAMED, OTHER), "1 of 2", "not noticed by names; one at level plan: identity"),
        (proof(SHALLOW, NAMED, NOTHING), "1 of 2", "not noticed by names; one at level plan: nothing"),
        (proof(SHALLOW, NAMED, REFUSED), "1 of 1", None),
        (proof(SHALLOW, REFUSED), "0 of 0", "made no difference to any case; one at level plan: XML error"),
        (proof(SHALLOW), "0 of 0", "made no difference to any case"),
        (proof(AFTERWARDS, BY_MORE), "1 of 1", None),
        (proof(AFTERWARDS, BY_TEXT), "0 of 1", "not noticed by restored"),
        (proof(OF_TEXT, BY_TEXT), "1 of 1", None),
        (proof(DEEP, NOTHING, trial(Level.MACHINE), IN_GUEST), "1 of 1", None),
        (proof(DEEP, OTHER, IN_GUEST), "1 of 1", "noticed at a level shallower than guest"),
        (proof(DEEP, trial(Level.MACHINE, ClaimName.DATA), IN_GUEST), "1 of 1", "noticed at a level shallower"),
        (proof(DEEP, trial(Level.GUEST, ClaimName.DATA)), "0 of 1", "not noticed by content"),
        (proof(DEEP, trial(Level.GUEST, trouble="refused", reason="no")), "0 of 1", "no comparison"),
        (proof(DEEP, trial(Level.GUEST, trouble="error", reason="no")), "0 of 1", "no comparison"),
        (proof(DEEP, NOTHING, depth=Level.MACHINE), "0 of 0", None),
        (proof(DEEP, OTHER, depth=Level.PLAN), "0 of 0", "noticed at a level shallower than guest"),
    ],
)
def test_fault_is_caught_by_its_claim_at_its_level_and_nowhere_before(
    tried: Proof, caught: str, problem: str | None
) -> None:
    assert f"{len(tried.caught)} of {len(tried.counted)}" == caught
    assert bool(tried.problems) is (problem is not None)
    assert problem is None or problem in tried.problems[0]


def test_fault_is_left_out_only_where_its_level_is_too_deep() -> None:
    assert proof(DEEP, depth=Level.MACHINE).is_left_out
    assert not proof(DEEP, depth=Level.GUEST).is_left_out
    assert not proof(SHALLOW, depth=Level.PLAN).is_left_out


GOOD = Control("one", Level.PLAN)


@pytest.mark.parametrize(
    ("proofs", "exit_code"),
    [
        (Proofs((proof(SHALLOW, NAMED),), (GOOD,)), 0),
        (Proofs((proof(SHALLOW, NAMED), proof(DEEP, depth=Level.PLAN)), (GOOD,)), 0),
        (Proofs((proof(SHALLOW, NAMED), proof(SHALLOW, OTHER)), (GOOD,)), 1),
        (Proofs((proof(SHALLOW, NAMED),), (GOOD, Control("two", Level.PLAN, ("unexpected: names",)))), 1),
        (Proofs((proof(DEEP, trial(Level.GUEST, trouble="error", reason="no")),), (GOOD,)), 3),
        (Proofs((proof(SHALLOW, NAMED),), (Control("one", Level.GUEST, ("no guest",), failed=True),)), 3),
        (Proofs((proof(SHALLOW, OTHER),), (Control("one", Level.GUEST, ("no guest",), failed=True),)), 1),
    ],
)
def test_exit_code_tells_uncaught_faults_from_a_failed_host(proofs: Proofs, exit_code: int) -> None:
    assert proofs.exit_code == exit_code
