"""``rescue-harness schema``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("schema")
@click.option("--result", is_flag=True, help="The schema of result.json instead.")
@click.option("--worker", is_flag=True, help="The schema of what is said to a Nova's worker and what it answers.")
@click.option("--gate", is_flag=True, help="The schema of gate.json, which gate-nova writes.")
@work_in("harness.commands.work.schema")
def command() -> None:
    """Print the JSON Schema of scenario files."""
