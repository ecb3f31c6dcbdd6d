"""A gate on the terminal: progress, and a table of the cases that differ."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from harness.counting import counted
from harness.reading.cases import Case
from harness.report.terminal.console import now_and_then_on
from harness.result.case_result import CaseResult
from harness.scenario.words import VerdictName
from harness.study.compare.case_comparison import Change, Comparison, tally
from harness.study.compare.case_outcome import CaseOutcome
from harness.study.compare.gate_record import GateRecord

_MOST_SENTENCES = 4
_MOST_CASES = 6
_MARKS = {
    Change.WORSE: ("✗ worse", "bold red"),
    Change.BETTER: ("✓ better", "green"),
    Change.OTHER: ("~ other", "yellow"),
    Change.NOT_COMPARED: ("? not compared", "bold red"),
}


class GateDisplay:
    """Shows how many cases of both sides are done, without a terminal only now and then; an Observer of the pool."""

    def __init__(self, console: Console, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("starting", total=total)
        self._lock = threading.Lock()
        self._finished = 0
        self._total = total
        self._say = now_and_then_on(console)

    def started(self, case: Case) -> None:
        """Show the case that begins."""
        self._progress.update(self._task, description=case.id)

    def phase(self, case: Case, text: str) -> None:
        """Show the phase that a case enters."""
        self._progress.update(self._task, description=f"{case.id}: {text}")
        with self._lock:
            self._say(f"{self._finished} of {self._total} cases done; {case.id}: {text}")

    def finished(self, case: Case, result: CaseResult) -> None:
        """Count a case as done."""
        del case, result
        with self._lock:
            self._finished += 1
            self._progress.advance(self._task)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


def show_gate(record: GateRecord, console: Console) -> None:
    """Print the cases that differ, and how many there are of each kind."""
    show_differing(record.comparisons, console, ("base", "change"))
    style = "bold red" if record.exit_code else "green"
    console.print(
        f"{counted(len(record.comparisons), 'case')}: {tally(record.comparisons)}", style=style, soft_wrap=True
    )


def show_differing(comparisons: Sequence[Comparison], console: Console, sides: tuple[str, str]) -> None:
    """Print a table of the cases that differ, if any, the worst first; cases that differ alike share a row."""
    differing = [comparison for comparison in comparisons if comparison.kind is not Change.UNCHANGED]
    if not differing:
        return
    rows: dict[tuple[object, ...], list[Comparison]] = {}
    for each in differing:
        alike = (each.kind, str(each.base), str(each.change), each.new, each.gone)
        rows.setdefault(alike, []).append(each)
    table = Table(pad_edge=False, header_style="bold", show_lines=True)
    for heading in ("case", *sides):
        table.add_column(heading, overflow="fold")
    order = list(_MARKS)
    for row in sorted(rows.values(), key=lambda row: order.index(row[0].kind)):
        table.add_row(_case_cell(row), _base_cell(row), _change_cell(row[0]))
    console.print()
    console.print(table)
    console.print()


def _case_cell(alike: Sequence[Comparison]) -> Text:
    return Text("\n").join([Text(*_MARKS[alike[0].kind]), *_shortened([each.case for each in alike], _MOST_CASES)])


def _base_cell(alike: Sequence[Comparison]) -> Text:
    """Return the base's verdict and the sentences that the change no longer shows."""
    lines = _lines(alike[0].base, alike[0].gone, "")
    both = sorted({len(each.base.findings) - len(each.gone) for each in alike if each.base.findings})
    if both and both[-1]:
        count = str(both[0]) if len(both) == 1 else f"{both[0]} to {both[-1]}"
        lines.append(Text(f"and {count} that both have", "dim"))
    return Text("\n").join(lines)


def _change_cell(comparison: Comparison) -> Text:
    """Return the change's verdict and the sentences that the base did not show."""
    return Text("\n").join(_lines(comparison.change, comparison.new, _MARKS[comparison.kind][1]))


def _lines(outcome: CaseOutcome, sentences: Sequence[str], style: str) -> list[Text]:
    if outcome.verdict in (VerdictName.REFUSED, VerdictName.UNFIT, VerdictName.ERROR):
        return [Text(str(outcome), style)]
    return [Text(str(outcome)), *_shortened(sentences, _MOST_SENTENCES, style)]


def _shortened(sentences: Sequence[str], most: int, style: str = "") -> list[Text]:
    lines = [Text(sentence, style) for sentence in sentences[:most]]
    if len(sentences) > most:
        lines.append(Text(f"and {len(sentences) - most} more", "dim"))
    return lines
