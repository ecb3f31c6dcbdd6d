"""``rescue-harness nova remove``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("remove")
@click.argument("version")
@work_in("harness.commands.work.nova.remove")
def command() -> None:
    """Remove a Nova that was added.

    VERSION is a release, or the path of a checkout. Its environment is removed; the checkout itself stays.
    """
