"""``rescue-harness run``: cases through the engine, shown as they end, and what they came to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.commands.work.chosen_cases import chosen_cases
from harness.counting import counted
from harness.errors import HostError, ScenarioError
from harness.implementation.registry import Implementations, implementations_of, opened, require_level
from harness.reading.cases import deepest_level
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.progress import RunDisplay
from harness.report.terminal.rates import show_rates
from harness.report.terminal.table import coverage_sentences, results_table
from harness.result.case_result import CaseResult
from harness.run.cost import duration_text, expected_s, rest_of_the_suite
from harness.run.pool import CasePool, default_jobs, obtain_needed_images
from harness.run.session import open_session
from harness.scenario.words import Level
from harness.study.rates import rates_of


def work(
    paths: tuple[Path, ...],
    keyword: str | None,
    jobs: int | None,
    results: Path,
    level: Level,
    names: tuple[str, ...],
    repeat: int,
    keep_going: bool,
    boot_timeout: float | None,
    control_boots: int,
) -> None:
    """Run the cases."""
    implementations = implementations_of(names)
    require_level(implementations, level)
    wanted = chosen_cases(paths, keyword, repeat, level, implementations)
    under_test = Implementations(*implementations)
    cases = [case for case in wanted if under_test.have_level(case.implementation, case.level)]
    if not cases:
        raise ScenarioError(f"{wanted[0].id} asks for level {wanted[0].level}, which its implementation does not have")
    console = open_console()
    finished: list[CaseResult] = []
    with (
        opened(implementations) as held,
        open_session(
            results,
            progress=status_on(console),
            boot_timeout_s=boot_timeout,
            control_boots=control_boots,
            level=deepest_level(cases),
            implementations=held,
        ) as session,
    ):
        jobs = jobs or default_jobs(cases)
        accelerator = session.hypervisor.accelerator
        duration = duration_text(expected_s(cases, accelerator.canary_s, jobs))
        console.print(f"{counted(len(cases), 'case')}, {jobs} at once, {duration}; {accelerator.reason}", style="dim")
        for case in wanted:
            if case not in cases:
                console.print(f"left out: {case.id} asks for level {case.level}", style="dim", soft_wrap=True)
        obtain_needed_images(cases, session)
        try:
            with (
                RunDisplay(console, len(cases)) as display,
                CasePool(cases, session, display, jobs=jobs, ahead=None if keep_going else jobs) as pool,
            ):
                for index in range(len(cases)):
                    finished.append(pool.result(index))
                    if not keep_going and not finished[-1].as_expected:
                        break
        finally:
            known = {result.case: result for result in (*session.folder.results, *finished)}
            results_in_order = [known[case.id] for case in cases if case.id in known]
            _report(console, results_in_order, len(cases), session.folder.path)
    are_folders = bool(paths) and all(path.is_dir() for path in paths)
    if are_folders and (rest := rest_of_the_suite(cases, level, accelerator.canary_s, jobs)):
        all_of_it = "rescue-harness run" + (f" --level {level}" if level is not Level.GUEST else "")
        console.print(f"{rest}: {all_of_it}", style="dim", soft_wrap=True)
    sys.exit(exit_code(results_in_order))


def _report(console: Console, results: Sequence[CaseResult], total: int, folder: Path) -> None:
    console.print()
    counts = []
    if any(result.repetition > 1 for result in results):
        show_rates(rates_of(results), console)
    else:
        console.print(results_table(results))
        expected = sum(result.as_expected for result in results)
        counts.append(f"{expected} as expected, {len(results) - expected} not")
    for sentence in coverage_sentences(results):
        console.print(sentence, style="dim", soft_wrap=True)
    if left := total - len(results):
        counts.append(f"{left} not run")
    console.print("\n" + "; ".join([*counts, f"results: {folder}"]), soft_wrap=True)


def exit_code(results: Sequence[CaseResult]) -> int:
    """0 all as expected, 1 a verdict was not, 2 a scenario expects nothing here, 3 host or harness failed."""
    failures = {result.failure.kind for result in results if result.failure is not None}
    if failures == {ScenarioError.__name__}:
        return ScenarioError.exit_code
    if failures:
        return HostError.exit_code
    return 0 if all(result.as_expected for result in results) else 1
