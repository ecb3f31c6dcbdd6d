"""Rates: how many runs of each case ended as expected, and what was seen in some runs but not in others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.counting import counted
from harness.result.case_result import CaseResult, RunSummary
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.verdict.restoring import UNCHANGED

CONFIDENCE = 0.95
_FEWEST_TO_BOUND = 10


@dataclass(frozen=True)
class Pass:
    """One repetition of every case of a run. ``races`` are findings that control boots showed to be kernel races."""

    started_at: str
    cases: int
    boots: int
    as_expected: int
    races: int
    elapsed: timedelta


@dataclass(frozen=True)
class CaseRate:
    """One case at one level over all its runs.

    ``remarks`` are sentences on what was not as expected or was seen in some runs only, each with the number of runs.
    """

    case: str
    level: Level
    runs: int
    as_expected: int
    verdicts: tuple[tuple[VerdictName, int], ...]
    remarks: tuple[tuple[str, int], ...]


def at_level(run: RunSummary, level: Level | None) -> RunSummary:
    """Return a run with the results of one level only, or with all results for None."""
    kept = tuple(result for result in run.results if level in (None, result.level))
    return run.model_copy(update={"results": kept})


def passes_of(runs: Iterable[RunSummary]) -> list[Pass]:
    """Return each repetition of each run."""
    return [_pass(run, number) for run in runs for number in sorted({each.repetition for each in run.results})]


def _pass(run: RunSummary, repetition: int) -> Pass:
    results = [result for result in run.results if result.repetition == repetition]
    begun = min(result.started_at for result in results)
    ended = max(datetime.fromisoformat(each.started_at) + timedelta(seconds=each.elapsed_s) for each in results)
    return Pass(
        started_at=begun,
        cases=len(results),
        boots=sum(len(result.boots) for result in results),
        as_expected=sum(result.as_expected for result in results),
        races=sum(finding.cause == "kernel-race" for result in results for finding in result.findings),
        elapsed=ended - datetime.fromisoformat(begun),
    )


def rates_of(results: Iterable[CaseResult]) -> list[CaseRate]:
    """Return the rate of each case, in the order of the cases' first results."""
    of_case: dict[tuple[str, Level], list[CaseResult]] = {}
    for result in results:
        of_case.setdefault((result.repeated_case, result.level), []).append(result)
    return [_rate(case, level, runs) for (case, level), runs in of_case.items()]


def _rate(case: str, level: Level, runs: Sequence[CaseResult]) -> CaseRate:
    seen = Counter(sentence for run in runs for sentence in dict.fromkeys(_sentences(run)))
    wrong = Counter(sentence for run in runs if not run.as_expected for sentence in dict.fromkeys(run.mismatch))
    varying = {sentence: count for sentence, count in seen.items() if count < len(runs)}
    return CaseRate(
        case=case,
        level=level,
        runs=len(runs),
        as_expected=sum(run.as_expected for run in runs),
        verdicts=tuple(Counter(run.verdict for run in runs).most_common()),
        remarks=(*wrong.items(), *varying.items()),
    )


def _sentences(result: CaseResult) -> Iterator[str]:
    """Yield sentences on a run, without details that differ each time: a race's names and rate, written offsets."""
    if result.failure is not None:
        yield result.failure.message
    else:
        yield from result.ends
    racing = sorted({finding.device for finding in result.findings if finding.cause == "kernel-race"})
    if racing:
        yield f"kernel race of {', '.join(racing)}"
    for finding in result.findings:
        if finding.cause == "kernel-race":
            continue
        if finding.claim is ClaimName.DATA and finding.before == UNCHANGED:
            yield f"{finding.claim}: {finding.device}: bytes changed that nobody was to write"
        else:
            yield finding.sentence


def bound(runs: int) -> float:
    """Return the upper bound of the failure rate after ``runs`` runs without failure (Clopper and Pearson, 1934).

    The bound holds at ``CONFIDENCE``.
    """
    return 1 - float((1 - CONFIDENCE) ** (1 / runs))


def closing_sentence(rates: Sequence[CaseRate]) -> str:
    """Sum up all cases in a sentence, with the bound on the failure rate if there are enough runs for one."""
    runs, good = sum(rate.runs for rate in rates), sum(rate.as_expected for rate in rates)
    text = f"{counted(runs, 'run')} of {counted(len(rates), 'case')}: {good} as expected, {runs - good} not"
    if good < runs or runs < _FEWEST_TO_BOUND:
        return text
    return f"{text}; at {CONFIDENCE:.0%} confidence fewer than 1 run in {int(1 / bound(runs))} goes wrong"


def rates_page(runs: Sequence[RunSummary]) -> str:
    """Return the passes, and the cases that varied between them, as Markdown."""
    rates = rates_of(result for run in runs for result in run.results)
    passes = [
        f"| {each.started_at} | {each.cases} | {each.boots} | {each.as_expected} | {each.cases - each.as_expected}"
        f" | {each.races} | {each.elapsed.total_seconds() / 60:.0f} min |"
        for each in passes_of(runs)
    ]
    varying = [
        f"| `{rate.case}` | {rate.as_expected} of {rate.runs} | {sentence} | {count} |"
        for rate in rates
        for sentence, count in rate.remarks
    ]
    page = [
        "| begun | cases | boots | as expected | not | kernel races | took |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *passes,
        "",
        f"{closing_sentence(rates)}.",
    ]
    if varying:
        page += [
            "",
            "| case | as expected | not as expected, or in some runs only | in |",
            "| --- | --- | --- | --- |",
            *varying,
        ]
    return "\n".join(page) + "\n"
