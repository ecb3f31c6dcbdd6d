"""``rescue-harness machines``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("machines")
@work_in("harness.commands.work.machines")
def command() -> None:
    """List the machine types that this QEMU has.

    A scenario's key 'instance.machine' takes these names.
    """
