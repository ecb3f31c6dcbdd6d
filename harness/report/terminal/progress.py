"""Progress of a run: on a terminal a live table of the cases under way, elsewhere one line for each case."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.reading.cases import Case
from harness.report.terminal.table import verdict_text
from harness.result.case_result import CaseResult


@dataclass
class _UnderWay:
    phase: str = "preparing"
    since: float = field(default_factory=time.monotonic)
    phase_since: float = field(default_factory=time.monotonic)


class RunDisplay:
    """Shows progress; an Observer of the pool, to be used as a context manager."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._unexpected = 0
        self._under_way: dict[str, _UnderWay] = {}
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._spinner = Spinner("dots")
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=4, transient=True, auto_refresh=True
        )

    def started(self, case: Case) -> None:
        """Note that a case begins."""
        with self._lock:
            self._under_way[case.id] = _UnderWay()

    def phase(self, case: Case, text: str) -> None:
        """Show the phase that a case enters."""
        with self._lock:
            entry = self._under_way[case.id]
            entry.phase, entry.phase_since = text, time.monotonic()

    def finished(self, case: Case, result: CaseResult) -> None:
        """Show a case's result."""
        with self._lock:
            del self._under_way[case.id]
            self._done += 1
            self._unexpected += not result.as_expected
            counter = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
        line = Text.assemble(
            (counter, "dim"), " ", verdict_text(result), " ", case.id, (f"  {result.elapsed_s:.1f} s", "dim")
        )
        self._console.print(line)

    def _render(self) -> Group:
        with self._lock:
            rows = list(self._under_way.items())
        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for name, entry in rows:
            table.add_row(
                self._spinner,
                name,
                Text(entry.phase, "cyan"),
                Text(f"{now - entry.phase_since:.0f} s", "dim"),
                Text(f"{now - entry.since:.0f} s in all", "dim"),
            )
        footer = Text(
            f"{self._done} of {self._total} done, {self._unexpected} not as expected, {now - self._started:.0f} s",
            "dim",
        )
        return Group(table, footer)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()
