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
    help="The branch or commit that the change began from. Default: the upstream branch.",
)
@click.option(
    "--environment",
    metavar="VERSION|PATH",
    help="An added Nova whose libraries both sides use. Default: the checkout's own, see 'nova add --checkout'.",
)
@keyword_option()
@jobs_option("Cases")
@level_option(Level.PLAN, "The source of evidence. Scenarios that need a deeper level are left out.")
@results_option("The folder in which the run's folder is made.")
@work_in("harness.commands.work.gate_nova")
def command() -> None:
    """Say what a change to Nova makes worse.

    Scenarios run on a git CHECKOUT of Nova as it is on disk, and on the commit that its change began from. Without
    PATHS the shipped suite runs. The gate fails only if the change made a case worse.

    Exit code: 0 no case became worse, 1 a case did, 2 the input is wrong, 3 host or harness failed, 130 interrupted.
    """
