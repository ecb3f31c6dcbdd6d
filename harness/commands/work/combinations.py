"""``rescue-harness combinations``: the table of buses, devices, machines and firmware."""

from __future__ import annotations

import click

from harness.report.markdown.combinations_page import combinations_page
from harness.report.terminal.console import open_console
from harness.report.terminal.table import combinations_table


def work(markdown: bool) -> None:
    """Print the table."""
    if markdown:
        click.echo(combinations_page(), nl=False)
    else:
        open_console().print(combinations_table())
