"""``rescue-harness prove``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import keyword_option, level_option, results_option
from harness.scenario.words import Level


@click.command("prove")
@level_option(
    Level.PLAN, "Try also the faults that show only deeper: 'machine' is a paused QEMU, 'guest' a booted guest."
)
@keyword_option("Only faults whose name or claim matches, written as for pytest's -k.")
@results_option("Where the run's folder goes. At level 'plan' there is none.")
@click.option("--markdown", is_flag=True, help="Print docs/reference/faults.md, and try no fault.")
@work_in("harness.commands.work.prove")
def command() -> None:
    """Break rescue on purpose and check that claims notice.

    A fault is proven when the claim that should notice it does.
    """
