"""``rescue-harness sweep``: every combination of the free keys of scenarios, planned."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.commands.exit_codes import AS_EXPECTED, NOT_AS_EXPECTED
from harness.implementation.registry import implementation_of, opened
from harness.level.planner import open_planner
from harness.reading.loading import load_scenarios
from harness.report.terminal.console import open_console
from harness.report.terminal.sweeping import run_sweep
from harness.result.run_path import make_run_path, run_name
from harness.study.sweep import SHIPPED_SWEEP, Sweep


def work(paths: tuple[Path, ...], results: Path, name: str) -> None:
    """Plan the sweeps."""
    console = open_console()
    implementation = implementation_of(name)
    sweeps = [Sweep.of(loaded.scenario) for loaded in load_scenarios(paths or [SHIPPED_SWEEP])]
    folder = make_run_path(results / run_name(), is_run=False)
    with opened([implementation]), open_planner() as planner:
        good = [run_sweep(each, planner, implementation, folder, console) for each in sweeps]
    console.print(f"results: {folder}", soft_wrap=True)
    sys.exit(AS_EXPECTED if all(good) else NOT_AS_EXPECTED)
