"""``rescue-harness combinations``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("combinations")
@click.option("--markdown", is_flag=True, help="Print Markdown, as in docs/reference/combinations.md.")
@work_in("harness.commands.work.combinations")
def command() -> None:
    """Show which rescue bus and device boots where, and who refuses.

    The table has each bus and device with each machine and firmware.
    """
