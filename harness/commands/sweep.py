"""``rescue-harness sweep``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import implementation_option, paths_argument, results_option


@click.command("sweep")
@paths_argument()
@results_option("The folder for the grid and the CSV file.")
@implementation_option(multiple=False)
@work_in("harness.commands.work.sweep")
def command() -> None:
    """Plan every combination of a scenario's free keys.

    A scenario names its free keys under 'sweep'; nothing is booted. Without PATHS the shipped sweep is planned.

    Exit code: 0 each combination is stable or refused, 1 a combination is not.
    """
