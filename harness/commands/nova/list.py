"""``rescue-harness nova list``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("list")
@work_in("harness.commands.work.nova.list")
def command() -> None:
    """List the Novas that were added.

    The list says which libvirt and QEMU each Nova demands.
    """
