"""``rescue-harness rates``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import level_option, results_argument


@click.command("rates")
@click.option("--markdown", is_flag=True, help="Print Markdown: a line for each run, then the cases that varied.")
@level_option(None, "Count only results at this level.")
@results_argument()
@work_in("harness.commands.work.rates")
def command() -> None:
    """Say how often each case came out as expected.

    RESULTS are folders of runs. Findings that some runs of a case have and others lack are listed, too.

    Exit code: 0 each run of each case was as expected, 1 a run was not, 2 no results.
    """
