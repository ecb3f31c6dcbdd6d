"""``rescue-harness nova``: the Novas that can be tested, each in an environment of its own."""

from __future__ import annotations

import click

from harness.commands.group import TableGroup
from harness.commands.table import NOVA_COMMANDS


@click.group("nova", cls=TableGroup, rows=NOVA_COMMANDS)
def command() -> None:
    """Add, list, remove and compare Novas.

    The option --implementation nova:VERSION takes an added Nova.
    """
