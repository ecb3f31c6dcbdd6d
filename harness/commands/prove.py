"""``rescue-harness prove``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import keyword_option, level_option, results_option
from harness.scenario.words import Level


@click.command("prove")
@level_option(
    Level.PLAN, "The deepest level. Faults that show only in a paused QEMU or a booted guest need machine or guest."
)
@keyword_option("Try only faults whose name or claim matches, as pytest's -k does.")
@results_option("The folder in which the run's folder is made, at levels beyond plan.")
@click.option(
    "--markdown", is_flag=True, help="Print the list of faults, as in docs/reference/faults.md, and try none."
)
@work_in("harness.commands.work.prove")
def command() -> None:
    """Break rescue on purpose and check that claims notice.

    Every fault names the claim that should notice it. A fault is proven when that claim has a finding.

    Exit code: 0 each fault was caught, 1 a fault was not, 3 host or harness failed, 130 interrupted.
    """
