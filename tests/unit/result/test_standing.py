"""One outcome hides no other: the exit code is that of the worst, and every kind is counted."""

from __future__ import annotations

import pytest

from harness.commands.exit_codes import AS_EXPECTED, FAILED, NOT_AS_EXPECTED, UNFIT, WRONG_INPUT
from harness.commands.work.run import exit_code
from harness.result.case_result import CaseResult, Failure
from harness.result.standing import Standing, standing_of, tally
from harness.scenario.words import VerdictName

from ..support.case_results import PLANNED

GOOD = PLANNED
MOVED = PLANNED.model_copy(update={"verdict": VerdictName.MOVED, "as_expected": False})
UNFIT_CASE = PLANNED.model_copy(update={"verdict": VerdictName.UNFIT, "unfit": "boots nothing", "as_expected": False})
UNFIT_AS_EXPECTED = UNFIT_CASE.model_copy(update={"as_expected": True})


def failed(kind: str) -> CaseResult:
    failure = Failure(kind=kind, message="no memory")
    return PLANNED.model_copy(update={"verdict": VerdictName.ERROR, "failure": failure, "as_expected": False})


ERROR, NOTHING_EXPECTED = failed("HostError"), failed("ScenarioError")


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((), AS_EXPECTED),
        ((GOOD, UNFIT_AS_EXPECTED), AS_EXPECTED),
        ((GOOD, MOVED), NOT_AS_EXPECTED),
        ((ERROR, MOVED, ERROR), NOT_AS_EXPECTED),
        ((UNFIT_CASE, MOVED), NOT_AS_EXPECTED),
        ((NOTHING_EXPECTED, MOVED), NOT_AS_EXPECTED),
        ((GOOD, ERROR), FAILED),
        ((NOTHING_EXPECTED, ERROR), FAILED),
        ((GOOD, UNFIT_CASE), UNFIT),
        ((UNFIT_CASE, ERROR), UNFIT),
        ((GOOD, NOTHING_EXPECTED), WRONG_INPUT),
    ],
)
def test_the_worst_case_gives_the_exit_code(results: tuple[CaseResult, ...], code: int) -> None:
    assert exit_code(results) == code


def test_each_kind_is_counted() -> None:
    results = (GOOD, MOVED, ERROR, ERROR, UNFIT_CASE, NOTHING_EXPECTED)
    assert ", ".join(tally(map(standing_of, results))) == (
        "1 as expected, 1 not as expected, 1 of an unfit instance, 2 could not be judged,"
        " 1 without an expectation that holds here"
    )
    assert list(tally([Standing.OTHERWISE])) == ["0 as expected", "1 not as expected"]
