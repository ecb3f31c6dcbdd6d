"""``rescue-harness rates``: how often cases came out as expected, from results."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.commands.exit_codes import AS_EXPECTED, NOT_AS_EXPECTED
from harness.commands.work.run_folders import runs_in
from harness.errors import ScenarioError
from harness.report.terminal.console import open_console
from harness.report.terminal.rates import show_rates
from harness.scenario.words import Level
from harness.study.rates import at_level, rates_of, rates_page


def work(markdown: bool, level: Level | None, results: tuple[Path, ...]) -> None:
    """Print the rates."""
    runs = [at_level(run, level) for run in runs_in(results)]
    found = rates_of(result for run in runs for result in run.results)
    if not found:
        raise ScenarioError(f"nothing ran at level {level}" if level is not None else "nothing ran to its end")
    if markdown:
        click.echo(rates_page(runs), nl=False)
    else:
        show_rates(found, open_console())
    sys.exit(AS_EXPECTED if all(rate.as_expected == rate.runs for rate in found) else NOT_AS_EXPECTED)
