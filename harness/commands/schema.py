"""``rescue-harness schema``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in


@click.command("schema")
@click.option("--result", is_flag=True, help="Print the schema of result.json instead.")
@click.option(
    "--worker", is_flag=True, help="Print the schema of the messages between the harness and a Nova's worker instead."
)
@click.option("--gate", is_flag=True, help="Print the schema of gate.json, which gate-nova writes, instead.")
@work_in("harness.commands.work.schema")
def command() -> None:
    """Print the JSON Schema of scenario files."""
