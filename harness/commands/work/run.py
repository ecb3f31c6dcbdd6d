"""``rescue-harness run``: run cases in the engine, and show each result and the totals."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.commands.exit_codes import AS_EXPECTED, FAILED, NOT_AS_EXPECTED, UNFIT, WRONG_INPUT
from harness.commands.work.chosen_cases import chosen_cases
from harness.counting import counted
from harness.implementation.registry import Implementations
from harness.reading.cases import deepest_level
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.progress import RunDisplay
from harness.report.terminal.rates import show_rates
from harness.report.terminal.table import coverage_sentences, results_table
from harness.result.case_result import CaseResult
from harness.result.standing import Standing, standing_of, tally
from harness.run.choice import Choice
from harness.run.cost import duration_text, expected_s, rest_of_the_suite
from harness.run.on_ramp import RunOptions, implementations_at, open_run
from harness.scenario.words import Level
from harness.study.rates import rates_of

_CODES = {
    Standing.OTHERWISE: NOT_AS_EXPECTED,
    Standing.UNFIT: UNFIT,
    Standing.NOT_JUDGED: FAILED,
    Standing.NOTHING_EXPECTED: WRONG_INPUT,
    Standing.AS_EXPECTED: AS_EXPECTED,
}


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
    implementations = implementations_at(names, level)
    under_test = Implementations(*implementations)
    choice = chosen_cases(
        paths,
        implementations,
        level=level,
        keyword=keyword,
        repeat=repeat,
        is_in_reach=lambda case: under_test.have_level(case.implementation, case.level),
    )
    cases = choice.cases
    console = open_console()
    finished: list[CaseResult] = []
    options = RunOptions(results, deepest_level(cases), boot_timeout, control_boots, jobs)
    with open_run(options, implementations, progress=status_on(console)) as run:
        at_once = run.jobs(cases)
        accelerator = run.session.hypervisor.accelerator
        duration = duration_text(expected_s(cases, accelerator.canary_s, at_once))
        console.print(
            f"{counted(len(cases), 'case')}, {at_once} at once, {duration}; {accelerator.reason}", style="dim"
        )
        run.obtain_images(cases)
        try:
            with (
                RunDisplay(console, len(cases)) as display,
                run.pool(cases, display, jobs=at_once, ahead=None if keep_going else at_once) as pool,
            ):
                for index in range(len(cases)):
                    finished.append(pool.result(index))
                    if not keep_going and not finished[-1].as_expected:
                        break
        finally:
            folder = run.session.folder
            known = {result.case: result for result in (*folder.results, *finished)}
            results_in_order = [known[case.id] for case in cases if case.id in known]
            _report(console, results_in_order, choice, folder.path)
    are_folders = bool(paths) and all(path.is_dir() for path in paths)
    if are_folders and (rest := rest_of_the_suite(cases, level, accelerator.canary_s, at_once)):
        all_of_it = "rescue-harness run" + (f" --level {level}" if level is not Level.GUEST else "")
        console.print(f"{rest}: {all_of_it}", style="dim", soft_wrap=True)
    sys.exit(exit_code(results_in_order))


def _report(console: Console, results: Sequence[CaseResult], choice: Choice, folder: Path) -> None:
    console.print()
    counts = []
    if any(result.repetition > 1 for result in results):
        show_rates(rates_of(results), console)
    else:
        console.print(results_table(results))
        counts.append(", ".join(tally(map(standing_of, results))))
    for sentence in coverage_sentences(results):
        console.print(sentence, style="dim", soft_wrap=True)
    if left := len(choice.cases) - len(results):
        counts.append(f"{left} not run")
    if choice.left_out:
        counts.append(f"{len(choice.left_out)} left out")
    console.print("\n" + "; ".join([*counts, f"results: {folder}"]), soft_wrap=True)


def exit_code(results: Sequence[CaseResult]) -> int:
    """Return the exit code of the worst case; an error of one case hides no regression of another."""
    standings = {standing_of(result) for result in results}
    return next((code for standing, code in _CODES.items() if standing in standings), AS_EXPECTED)
