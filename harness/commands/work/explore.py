"""``rescue-harness explore``: random scenarios, planned and run."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from harness.commands.exit_codes import AS_EXPECTED, NOT_AS_EXPECTED
from harness.implementation.reference.implementation import Reference
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.exploring import run_exploration
from harness.run.on_ramp import RunOptions, open_run
from harness.scenario.words import Level


def work(budget: float, seed: int | None, level: Level, results: Path) -> None:
    """Explore until the budget is spent."""
    console = open_console()
    seed = secrets.randbelow(2**32) if seed is None else seed
    with open_run(RunOptions(results, level), progress=status_on(console)) as run:
        good = run_exploration(run.session, Reference(), seed=seed, budget_s=budget, level=level, console=console)
    sys.exit(AS_EXPECTED if good else NOT_AS_EXPECTED)
