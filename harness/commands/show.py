"""``rescue-harness show``: what users type."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.late import work_in
from harness.commands.options import implementation_option, keyword_option


@click.command("show")
@click.argument("scenario", type=click.Path(path_type=Path))
@keyword_option()
@click.option("--xml/--no-xml", default=True, help="Print the domain XML of each state, or leave it out.")
@implementation_option(multiple=False)
@work_in("harness.commands.work.show")
def command() -> None:
    """Show a scenario's domains and disks without booting.

    Each state's domain is shown as libvirt completes it.
    """
