"""``rescue-harness nova list``: a table of the Novas that were added."""

from __future__ import annotations

from rich.table import Table

from harness.commands.work.nova.demands import demands_of
from harness.implementation.nova.environments import Environments
from harness.report.terminal.console import open_console
from harness.scenario.words import MIB


def work() -> None:
    """Print the table."""
    console = open_console()
    environments = Environments()
    found = environments.all()
    if not found:
        console.print("no Nova was added so far; 'rescue-harness nova add VERSION' adds one", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("implementation", "version", "demands", "constraints", "size", "added"):
        table.add_column(heading, overflow="fold")
    for each in found:
        table.add_row(
            each.name,
            each.known_version or "unknown",
            demands_of(each, led_by=""),
            each.record.constraints,
            f"{each.size_bytes // MIB} MiB",
            each.record.added_at,
        )
    console.print(table)
