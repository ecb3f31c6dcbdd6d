"""``rescue-harness claims`` and ``rates``: implementations, or runs, set side by side from their results."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands.options import level_option
from harness.errors import ScenarioError
from harness.scenario.words import Level

_results_argument = click.argument(
    "results", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True)
)


@click.command()
@_results_argument
def claims(results: tuple[Path, ...]) -> None:
    """Set implementations side by side, claim by claim, as a Markdown page.

    RESULTS are folders of runs; of a case that comes twice at one level the later one counts.
    """
    from harness.report.markdown.claims_page import claims_page, results_in  # noqa: PLC0415

    click.echo(claims_page(results_in(results)), nl=False)


@click.command()
@click.option("--markdown", is_flag=True, help="Print Markdown: a line for each run, then what varied.")
@level_option(None, "Only what ran at this level.")
@_results_argument
def rates(markdown: bool, level: Level | None, results: tuple[Path, ...]) -> None:
    """Say in how many of their runs cases came out as expected, and what came up in some of them only.

    RESULTS are folders of runs. Exit code: 0 each run of each case was as expected, 1 one was not, 2 no results.
    """
    from harness.report.terminal.console import open_console  # noqa: PLC0415
    from harness.report.terminal.rates import show_rates  # noqa: PLC0415
    from harness.result.folders import read_run  # noqa: PLC0415
    from harness.study.rates import at_level, rates_of, rates_page  # noqa: PLC0415

    runs = [at_level(read_run(folder), level) for folder in results]
    found = rates_of(result for run in runs for result in run.results)
    if not found:
        raise ScenarioError(f"nothing ran at level {level}" if level is not None else "nothing ran to its end")
    if markdown:
        click.echo(rates_page(runs), nl=False)
    else:
        show_rates(found, open_console())
    sys.exit(0 if all(rate.as_expected == rate.runs for rate in found) else 1)
