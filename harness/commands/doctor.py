"""``rescue-harness doctor``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("doctor")
@work_in("harness.commands.work.doctor")
def command() -> None:
    """Check this host, and say how to fix what is missing."""
