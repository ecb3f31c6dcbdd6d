"""``rescue-harness clean``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("clean")
@work_in("harness.commands.work.clean")
def command() -> None:
    """Remove the leftovers of dead runs.

    The leftovers are domains, processes and overlays.
    """
