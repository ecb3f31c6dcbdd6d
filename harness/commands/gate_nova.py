"""``rescue-harness gate-nova``: what users type."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.late import work_in
from harness.commands.options import jobs_option, keyword_option, level_option, paths_argument, results_option
from harness.scenario.words import Level


@click.command("gate-nova")
@click.argument("checkout", type=click.Path(path_type=Path), default=Path())
@paths_argument()
@click.option(
    "--base",
    "reference",
    metavar="REF",
    help="The branch or commit where the change began. Default: the first"
    " that exists of origin/master, origin/main, master, main and the branch's upstream.",
)
@click.option(
    "--environment",
    metavar="VERSION|PATH",
    help="An added Nova whose libraries both sides use. Default: the checkout's own, see 'nova add --checkout'.",
)
@keyword_option()
@jobs_option("cases")
@level_option(Level.PLAN, "Where evidence comes from. Scenarios that ask for a deeper level are left out.")
@results_option("Where the run's folder goes.")
@work_in("harness.commands.work.gate_nova")
def command() -> None:
    """Say what a change to Nova makes worse.

    Scenarios run on a git CHECKOUT of Nova as it is on disk, and on the commit where its change began. Without CHECKOUT
    the current folder is taken, and without PATHS the shipped suite runs. Only a case that the change made worse fails.
    """
