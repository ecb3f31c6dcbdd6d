"""``rescue-harness nova add``: what users type."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.late import work_in


@click.command("add")
@click.argument("version", required=False)
@click.option(
    "--checkout", type=click.Path(path_type=Path), metavar="PATH", help="A folder with Nova's source, used as it is."
)
@click.option(
    "--constraints",
    metavar="FILE|URL|none",
    help="Versions of Nova's dependencies. Default: its OpenStack release's upper constraints, from openstack.org.",
)
@work_in("harness.commands.work.nova.add")
def command() -> None:
    """Add a release of Nova, or a checkout.

    The release VERSION, or the checkout, gets an environment of its own, which takes a minute to make and 400 MB.
    """
