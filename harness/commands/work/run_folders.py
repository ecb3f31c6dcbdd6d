"""The folders of runs that a command is given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from harness.result.case_result import RunSummary
from harness.result.folders import read_runs


def runs_in(folders: Iterable[Path]) -> tuple[RunSummary, ...]:
    """Read the runs in folders, and name on standard error the folders that hold none.

    Raises:
        ScenarioError: a folder does not exist, a summary is damaged, or no folder holds a run.
    """
    read = read_runs(folders)
    for folder in read.passed_over:
        click.echo(f"passed over: {folder} holds no run", err=True)
    return read.runs
