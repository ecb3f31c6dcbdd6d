"""A sweep on the terminal: progress, the grid of verdicts, the table of refusals; and its CSV and HTML files."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.columns import Columns
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from harness.implementation.protocol import Implementation
from harness.level.planner import Planner
from harness.result.case_result import Refusal
from harness.result.folders import write_atomically
from harness.scenario.words import VerdictName
from harness.study.sweep import EXCLUDED, IMPOSSIBLE, NOT_ASKED, Cell, Sweep

MARKS = {
    VerdictName.STABLE: ("s", "black on green"),
    VerdictName.MOVED: ("M", "black on yellow"),
    VerdictName.REFUSED: ("r", "white on blue"),
    VerdictName.UNFIT: ("u", "white on magenta"),
    VerdictName.ERROR: ("E", "white on red"),
    IMPOSSIBLE: ("\u00b7", "dim"),
    EXCLUDED: ("x", "dim"),
    NOT_ASKED: ("-", "dim"),
}
_SHOWN_MISSES = 20


def run_sweep(sweep: Sweep, planner: Planner, implementation: Implementation, folder: Path, console: Console) -> bool:
    """Plan every cell, show the grid, write ``<name>.csv`` and ``<name>.html``; return whether all cells are good.

    Raises:
        HostError: the results cannot be written.
    """
    summary = _Summary(sweep)
    name = sweep.scenario.name
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    started = time.monotonic()
    with (folder / f"{name}.csv").open("w", newline="") as file, Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=len(sweep))
        writer = csv.writer(file)
        keys = [*sweep.rows[0].values, *sweep.columns[0].values]
        writer.writerow([*keys, "outcome", "refused_by", "guest", "detail"])
        for cell in sweep.cells(planner, implementation):
            writer.writerow(_record(sweep, cell))
            summary.add(cell)
            progress.advance(task)
    elapsed_s = time.monotonic() - started
    shown = summary.shown(elapsed_s)
    console.print(shown)
    recorder = Console(record=True, file=io.StringIO(), width=console.width, highlight=False, markup=False)
    recorder.print(shown)
    write_atomically(folder / f"{name}.html", recorder.export_html())
    return not summary.misses


def _record(sweep: Sweep, cell: Cell) -> list[str]:
    values = {**sweep.rows[cell.row].values, **sweep.columns[cell.column].values}
    return [*("none" if value is None else str(value) for value in values.values()), *_told(cell)]


def _told(cell: Cell) -> tuple[str, str, str, str]:
    refused_by, guest = ("", "") if cell.refusal is None else (cell.refusal.refused_by, str(cell.refusal.guest))
    return str(cell.outcome), refused_by, guest, cell.detail


class _Summary:
    """Summary of the cells: a mark for each, counts, and the first cells that are not good."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._marks = [bytearray(len(sweep.columns)) for _ in sweep.rows]
        self._outcomes: Counter[str] = Counter()
        self._refusals: Counter[Refusal] = Counter()
        self._order = list(MARKS)
        self.planned = 0
        self.misses: list[Cell] = []
        self.missed = 0

    def add(self, cell: Cell) -> None:
        self._marks[cell.row][cell.column] = self._order.index(cell.outcome)
        self._outcomes[str(cell.outcome)] += 1
        self.planned += cell.is_planned
        if cell.refusal is not None:
            self._refusals[cell.refusal] += 1
        if not cell.is_good:
            self.missed += 1
            if len(self.misses) < _SHOWN_MISSES:
                self.misses.append(cell)

    def shown(self, elapsed_s: float) -> Group:
        """Return the whole summary for the terminal."""
        rate = self.planned / elapsed_s if elapsed_s else 0.0
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in self._outcomes.most_common())
        headline = Text(
            f"\n{self.planned:,} combinations in {elapsed_s:.1f} s, {rate:.0f} a second: {counts};"
            f" {self.missed:,} not as expected"
        )
        return Group(self._grid(), Text(), self._legend(), Text(), self._refusal_table(), *self._miss_lines(), headline)

    def _grid(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), title=self._sweep.scenario.name, title_style="bold")
        table.title_justify = "left"
        table.add_column(self._column_numbers(), no_wrap=True)
        table.add_column("rows", justify="right", vertical="bottom")
        table.add_column("instance, of rows that are alike the first", overflow="fold")
        alike: dict[bytes, list[int]] = {}
        for row, marks in enumerate(self._marks):
            alike.setdefault(bytes(marks), []).append(row)
        for pattern, rows in alike.items():
            cells = [Text(*MARKS[self._order[index]]) for index in pattern]
            table.add_row(self._spaced(cells), str(len(rows)), self._sweep.rows[rows[0]].label)
        return table

    def _column_numbers(self) -> Text:
        numbers = [f"{number:2}" for number in range(1, len(self._sweep.columns) + 1)]
        return Text("\n").join(self._spaced([Text(number[digit], "dim") for number in numbers]) for digit in range(2))

    def _spaced(self, cells: Sequence[Text]) -> Text:
        """Return one character for each column, with a gap where the first axis changes."""
        line = Text()
        before = None
        for column, cell in zip(self._sweep.columns, cells, strict=True):
            group = next(iter(column.values.values()), None)
            if before is not None and group != before[0]:
                line.append(" ")
            before = (group,)
            line.append_text(cell)
        return line

    def _legend(self) -> Group:
        marks = (Text.assemble((letter, style), f" {name}") for name, (letter, style) in MARKS.items())
        numbers = (
            Text(f"{number} {_described(column.values.items())}", "dim")
            for number, column in enumerate(self._sweep.columns, start=1)
        )
        return Group(Text("  ").join(marks), Columns(numbers, padding=(0, 3), equal=True, column_first=True))

    def _refusal_table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("refused by", "times", "guest", "reason"):
            table.add_column(heading, overflow="fold")
        for refusal, count in self._refusals.most_common():
            table.add_row(refusal.refused_by, f"{count:,}", refusal.guest, refusal.reason)
        return table

    def _miss_lines(self) -> Iterator[Text]:
        for cell in self.misses:
            where = f"{self._sweep.rows[cell.row].label} with {self._sweep.columns[cell.column].label}"
            yield Text(f"{cell.outcome}: {where}: {cell.detail}", "red")
        if self.missed > len(self.misses):
            yield Text(f"and {self.missed - len(self.misses):,} more in the CSV file", "red")


def _described(values: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {'none' if value is None else value}" for key, value in values)
