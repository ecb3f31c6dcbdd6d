"""``rescue-harness prove``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import keyword_option, level_option, results_option
from harness.scenario.words import Level


@click.command("prove")
@level_option(Level.PLAN, "Try also the faults that show at this level only: in a paused QEMU, in a booted guest.")
@keyword_option("Only faults whose name or claim matches, as pytest's -k.")
@results_option("Where the run's folder goes, beyond level plan.")
@click.option(
    "--markdown", is_flag=True, help="Print the list of faults as docs/reference/faults.md has it, and try none."
)
@work_in("harness.commands.work.prove")
def command() -> None:
    """Break rescue on purpose and see each fault noticed.

    A fault is proven when the claim that should notice it does.

    Exit code: 0 each fault was caught, 1 one was not, 3 host or harness failed, 130 interrupted.
    """
