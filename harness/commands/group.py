"""Groups of commands that are rows of a table: listed without being loaded, loaded when they are called."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

from harness.commands.table import Row


class TableGroup(click.Group):
    """A group whose commands are rows of a table."""

    def __init__(self, *, rows: Sequence[Row], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._rows = {row.name: row for row in rows}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the table's order."""
        del ctx
        return list(self._rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; return None if the table has no command of that name."""
        del ctx
        row = self._rows.get(cmd_name)
        if row is None:
            return None
        command: click.Command = import_module(row.module).command
        command.short_help = row.summary
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings, each summary on one line however narrow the terminal is."""
        del ctx
        width = max(map(len, self._rows))
        for purpose in dict.fromkeys(row.purpose for row in self._rows.values()):
            with formatter.section(purpose):
                for row in self._rows.values():
                    if row.purpose is purpose:
                        formatter.write(f"{'':{formatter.current_indent}}{row.name:<{width}}  {row.summary}\n")
