"""``rescue-harness combinations``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("combinations")
@click.option("--markdown", is_flag=True, help="Print docs/reference/combinations.md.")
@work_in("harness.commands.work.combinations")
def command() -> None:
    """Show which rescue bus and device boots where, and who refuses.

    The table has every bus and device, with every machine and firmware.
    """
