"""How steady cases are: of how many runs how many came out as expected, and what came up in some of them only."""

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
    """Every case of a run once. ``races`` are findings that control boots showed to be the kernel's."""

    started_at: str
    cases: int
    boots: int
    as_expected: int
    races: int
    elapsed: timedelta


@dataclass(frozen=True)
class CaseRate:
    """One case at one level over all its runs.

    ``remarks`` is what was not as expected or was not seen in each of them, and in how many it was.
    """

    case: str
    level: Level
    runs: int
    as_expected: int
    verdicts: tuple[tuple[VerdictName, int], ...]
    remarks: tuple[tuple[str, int], ...]


def at_level(run: RunSummary, level: Level | None) -> RunSummary:
    """A run with those results only that are of a level; with all of them for None."""
    kept = tuple(result for result in run.results if level in (None, result.level))
    return run.model_copy(update={"results": kept})


def passes_of(runs: Iterable[RunSummary]) -> list[Pass]:
    """Each repetition of each run."""
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
    """The rate of each case, in the order in which the cases first came."""
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
    """What a run showed, without what differs each time: a kernel race's names and rate, where a file system writes."""
    if result.failure is not None:
        yield result.failure.message
    elif result.refusal is not None:
        yield str(result.refusal)
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
    """The share of runs that may go wrong if none of so many did, at ``CONFIDENCE`` (Clopper and Pearson, 1934)."""
    return 1 - float((1 - CONFIDENCE) ** (1 / runs))


def closing_sentence(rates: Sequence[CaseRate]) -> str:
    """All cases in a sentence; what it bounds where the runs are enough to say anything."""
    runs, good = sum(rate.runs for rate in rates), sum(rate.as_expected for rate in rates)
    text = f"{counted(runs, 'run')} of {counted(len(rates), 'case')}: {good} as expected, {runs - good} not"
    if good < runs or runs < _FEWEST_TO_BOUND:
        return text
    return f"{text}; at {CONFIDENCE:.0%} confidence fewer than 1 run in {int(1 / bound(runs))} goes wrong"


def rates_page(runs: Sequence[RunSummary]) -> str:
    """Passes, and the cases that were not the same in all of them, as Markdown."""
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
