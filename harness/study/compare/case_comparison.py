"""Comparison of a case's outcomes before and after a change, to tell whether the change made the case worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

from pydantic import Field

from harness.errors import GuestAfter
from harness.frozen import Frozen
from harness.scenario.words import VerdictName
from harness.study.compare.case_outcome import CaseOutcome


class Change(StrEnum):
    """The effect of a change on a case."""

    WORSE = "worse"
    BETTER = "better"
    OTHER = "otherwise different"
    UNCHANGED = "unchanged"
    NOT_COMPARED = "not compared"


class Comparison(Frozen):
    """A case on both sides."""

    case: str = Field(description="the case's id without the implementation's name")
    kind: Change = Field(description="the effect of the change on the case")
    base: CaseOutcome = Field(description="the outcome before the change")
    change: CaseOutcome = Field(description="the outcome with the change")
    new: tuple[str, ...] = Field(
        default=(), description="findings and refusals that only the change shows, a sentence each"
    )
    gone: tuple[str, ...] = Field(
        default=(), description="findings and refusals that only the base shows, a sentence each"
    )


def compare(case: str, base: CaseOutcome, change: CaseOutcome, *, is_refusal_right: bool = False) -> Comparison:
    """Compare a case's outcomes; ``is_refusal_right`` if the scenario expects the reference to refuse this rescue.

    Refusals differ in the harm they do: the guest may be off when the refusal comes, or, worse, may not start at all.
    """
    kind = _kind(base, change, is_refusal_right=is_refusal_right)
    new, gone = _sentences(change, beyond=base), _sentences(base, beyond=change)
    return Comparison(case=case, kind=kind, base=base, change=change, new=new, gone=gone)


def _kind(base: CaseOutcome, change: CaseOutcome, *, is_refusal_right: bool) -> Change:
    if base.verdict is VerdictName.ERROR:
        return Change.NOT_COMPARED
    if base == change:
        return Change.UNCHANGED
    if VerdictName.UNFIT in (base.verdict, change.verdict) or change.verdict is VerdictName.ERROR:
        return _by_harm(_lacks_a_guest(change) - _lacks_a_guest(base))
    match _is_refused(base), _is_refused(change):
        case True, True:
            return _by_harm(_harm(change) - _harm(base))
        case True, False:
            is_worse = not _harm(base) and (is_refusal_right or bool(change.findings))
        case False, True:
            is_worse = _harm(change) > 0 or not is_refusal_right
        case _:
            more = _harm(change) - _harm(base)
            is_worse = more > 0 or bool(set(change.findings) - set(base.findings))
            if base.findings == change.findings:
                return _by_harm(more)
    return Change.WORSE if is_worse else Change.BETTER


def _lacks_a_guest(outcome: CaseOutcome) -> int:
    return outcome.verdict in (VerdictName.UNFIT, VerdictName.ERROR)


def _by_harm(more: int) -> Change:
    return Change.WORSE if more > 0 else Change.BETTER if more < 0 else Change.OTHER


def _is_refused(outcome: CaseOutcome) -> bool:
    return outcome.verdict is VerdictName.REFUSED


def _harm(outcome: CaseOutcome) -> int:
    """Rank the harm of a refusal to the guest, 0 for none and higher for more; -1 where nobody refused."""
    return -1 if outcome.refusal is None else list(GuestAfter).index(outcome.guest)


def _sentences(one: CaseOutcome, *, beyond: CaseOutcome) -> tuple[str, ...]:
    if one.verdict in (VerdictName.REFUSED, VerdictName.UNFIT, VerdictName.ERROR):
        return () if one == beyond else (str(one),)
    findings = tuple(str(finding) for finding in one.findings if finding not in beyond.findings)
    return findings if one.refusal in (None, beyond.refusal) else (*findings, str(one.refusal))


def tally(comparisons: Sequence[Comparison]) -> str:
    """Say how many comparisons are worse, better and unchanged, and of another kind if any are."""
    return ", ".join(_counts(Counter(comparison.kind for comparison in comparisons)))


def _counts(counter: Counter[Change]) -> Iterator[str]:
    for kind in (Change.WORSE, Change.BETTER, Change.UNCHANGED):
        yield f"{counter[kind]} {kind}"
    for kind in (Change.OTHER, Change.NOT_COMPARED):
        if counter[kind]:
            yield f"{counter[kind]} {kind}"
