"""``rescue-harness nova baseline``: a Nova's run of the suite against a baseline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from harness.commands.exit_codes import AS_EXPECTED, FAILED, NOT_AS_EXPECTED
from harness.commands.work.chosen_cases import cases_to_compare, required
from harness.errors import HostError
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.reference.implementation import Reference
from harness.implementation.registry import require_level
from harness.reading.cases import Case
from harness.reading.keyword import matches_keyword
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.gating import GateDisplay, show_differing
from harness.result.folders import write_atomically
from harness.run.choice import choose_cases
from harness.run.on_ramp import RunOptions, open_run
from harness.scenario.words import Level, VerdictName
from harness.study.compare.baseline import Baseline, baseline_path, read_baseline
from harness.study.compare.case_comparison import Change, Comparison, tally
from harness.study.compare.representatives import representatives_of
from harness.study.compare.sides import comparisons_of, run_on


def work(
    version: str,
    against: str | None,
    write: bool,
    keyword: str | None,
    jobs: int | None,
    level: Level,
    boot_timeout: float | None,
    results: Path,
) -> None:
    """Run the suite, and compare it with a baseline or write one."""
    if write and keyword is not None:
        raise click.UsageError("a baseline is written whole: --write and -k do not go together")
    if write and against is not None:
        raise click.UsageError("--write and --against do not go together: the one writes, the other compares")
    console = open_console()
    environment = Environments().find(version)
    nova = Nova(environment)
    require_level([nova], level)
    kept = None if write else read_baseline(against or environment.known_version or version, level)
    cases = (
        _representatives(keyword) if level is Level.GUEST else cases_to_compare((), nova, level=level, keyword=keyword)
    )
    # No control boots: Linux gives the eight cases' disks the same names at every boot.
    options = RunOptions(results, level, boot_timeout, control_boots=0, jobs=jobs)
    with open_run(options, [nova], progress=status_on(console)) as run:
        run.obtain_images(cases)
        with GateDisplay(console, len(cases)) as display:
            (seen,) = run_on(cases, [nova], run, display)
        here = run.session.hypervisor.versions
    errors = [(case, outcome) for case, outcome in seen.items() if outcome.verdict is VerdictName.ERROR]
    if kept is None:
        if errors:
            name, trouble = errors[0]
            raise HostError(f"{name}: {trouble}", hint="nothing was written: a baseline has no errors")
        made = Baseline.of(environment.known_version or version, level, here, seen)
        path = baseline_path(made.nova, level)
        write_atomically(path, made.text())
        console.print(f"{len(cases)} cases were written to {path}", soft_wrap=True)
        return
    kept = kept.only(lambda case: keyword is None or matches_keyword(keyword, case))
    failed = {case for case, _ in errors}
    both = [case for case in cases if case.id in kept.cases and case.id not in failed]
    for case, outcome in errors:
        console.print(f"not compared: {case}: {outcome}", soft_wrap=True)
    comparisons = comparisons_of(both, kept.cases, seen, here)
    show_differing(comparisons, console, (f"baseline of {kept.nova}", nova.name))
    code = _told(console, kept, comparisons, [case.id for case in cases], here)
    sys.exit(code or (FAILED if errors else AS_EXPECTED))


def _representatives(keyword: str | None) -> tuple[Case, ...]:
    """Choose the cases that stand for the shipped suite at level guest."""
    return required(representatives_of(choose_cases((), [Reference()], keyword=keyword).cases), keyword)


def _told(
    console: Console, kept: Baseline, comparisons: Sequence[Comparison], ran: Sequence[str], here: Mapping[str, str]
) -> int:
    """Print the comparison with a baseline, and return its exit code."""
    new, gone = sorted(set(ran) - set(kept.cases)), sorted(set(kept.cases) - set(ran))
    for case in new:
        console.print(f"not in the baseline: {case}", soft_wrap=True)
    for case in gone:
        console.print(f"only in the baseline: {case}", soft_wrap=True)
    console.print(f"{len(comparisons)} cases: {tally(comparisons)}", soft_wrap=True)
    is_same = not new and not gone and all(each.kind is Change.UNCHANGED for each in comparisons)
    if other := kept.other_hypervisor(here):
        console.print(other, style="yellow", soft_wrap=True)
    if is_same:
        return AS_EXPECTED
    return FAILED if other else NOT_AS_EXPECTED
