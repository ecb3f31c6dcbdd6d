"""Where a case stands after its run, so that no outcome hides another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from harness.errors import ScenarioError
from harness.result.case_result import CaseResult
from harness.scenario.words import VerdictName


class Standing(StrEnum):
    """How a case ended, measured by what its scenario expects. The worse comes first."""

    OTHERWISE = "not as expected"
    UNFIT = "of an unfit instance"
    NOT_JUDGED = "could not be judged"
    NOTHING_EXPECTED = "without an expectation that holds here"
    AS_EXPECTED = "as expected"


def standing_of(result: CaseResult) -> Standing:
    """Return where a case stands."""
    if result.as_expected:
        return Standing.AS_EXPECTED
    if result.failure is not None:
        is_ours = result.failure.kind != ScenarioError.__name__
        return Standing.NOT_JUDGED if is_ours else Standing.NOTHING_EXPECTED
    return Standing.UNFIT if result.verdict is VerdictName.UNFIT else Standing.OTHERWISE


def tally(standings: Iterable[Standing]) -> Iterator[str]:
    """Yield the number of cases as expected, and of each other kind that there is."""
    counts = Counter(standings)
    yield f"{counts[Standing.AS_EXPECTED]} {Standing.AS_EXPECTED}"
    yield from (f"{counts[each]} {each}" for each in Standing if each is not Standing.AS_EXPECTED and counts[each])
