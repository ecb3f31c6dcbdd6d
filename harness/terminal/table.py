"""Results as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from harness.run.plan import Plan
from harness.run.result import CaseResult
from harness.scenario.models import VerdictName

_COLOURS = {
    VerdictName.STABLE: "green",
    VerdictName.MOVED: "yellow",
    VerdictName.REFUSED: "blue",
    VerdictName.ERROR: "red",
}


def verdict_text(result: CaseResult) -> Text:
    """The verdict in its colour, marked where it is not the expected one."""
    mark = ("✓", "green") if result.as_expected else ("✗", "bold red")
    return Text.assemble(mark, " ", (f"{result.verdict:<7}", _COLOURS[result.verdict]))


def results_table(results: Sequence[CaseResult]) -> Table:
    """Scenario, verdict, findings: what is not as expected says how it differs."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("scenario", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("findings", overflow="fold")
    for result in results:
        table.add_row(result.case, verdict_text(result), _findings(result))
    return table


def _findings(result: CaseResult) -> Text:
    lines = [Text(sentence) for sentence in result.sentences()]
    if not result.as_expected and result.failure is None:
        lines += [Text(sentence, "red") for sentence in result.mismatch]
    if not lines:
        lines = [Text("; ".join(result.additions) or "-", "dim")]
    return Text("\n").join(lines)


def plan_table(case: str, plan: Plan) -> Table:
    """The disks of a plan: where each is in the normal and in the rescued domain."""
    table = Table(title=case, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("disk", "bus", "device", "normal", "address", "rescued", "address"):
        table.add_column(heading, overflow="fold")
    for disk in plan.disks:
        moved = disk.rescued_target != "-" and disk.normal_target != "-"
        moved = moved and (disk.normal_target, disk.normal_address) != (disk.rescued_target, disk.rescued_address)
        added = disk.normal_target == "-"
        style = "yellow" if moved else "green" if added else ""
        table.add_row(
            disk.name,
            disk.bus,
            disk.device,
            disk.normal_target,
            disk.normal_address,
            disk.rescued_target,
            disk.rescued_address,
            style=style,
        )
    return table
