"""Rates of repeated runs, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.report.terminal.table import VERDICT_COLOURS
from harness.study.rates import CaseRate, closing_sentence


def show_rates(rates: Sequence[CaseRate], console: Console) -> None:
    """Print one row for each case, and a sentence for all of them."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("scenario", overflow="fold")
    table.add_column("as expected", no_wrap=True)
    table.add_column("verdicts", no_wrap=True)
    table.add_column("not as expected, or in some runs only", overflow="fold")
    for rate in rates:
        table.add_row(rate.case, _share(rate), _verdicts(rate), _remarks(rate))
    console.print(table)
    console.print(f"\n{closing_sentence(rates)}", soft_wrap=True)


def _share(rate: CaseRate) -> Text:
    is_good = rate.as_expected == rate.runs
    mark = ("✓", "green") if is_good else ("✗", "bold red")
    return Text.assemble(mark, f" {rate.as_expected} of {rate.runs}")


def _verdicts(rate: CaseRate) -> Text:
    words = [
        (str(verdict) if count == rate.runs else f"{verdict} {count}", VERDICT_COLOURS[verdict])
        for verdict, count in rate.verdicts
    ]
    return Text(", ").join(Text(*word) for word in words)


def _remarks(rate: CaseRate) -> Text:
    if not rate.remarks:
        return Text("-", "dim")
    return Text("\n").join(Text(f"{sentence} ({count} of {rate.runs})") for sentence, count in rate.remarks)
