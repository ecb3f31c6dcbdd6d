"""``rescue-harness prove``: rescue broken on purpose, and the claims that notice."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.implementation.reference.implementation import Reference
from harness.reading.keyword import matches_keyword
from harness.report.markdown.faults_page import faults_page
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.proving import run_proofs
from harness.run.choice import choose_cases
from harness.scenario.words import Level
from harness.study.prove import faults
from harness.study.prove.prover import open_prover


def work(level: Level, keyword: str | None, results: Path, markdown: bool) -> None:
    """Try the faults, or print their list."""
    if markdown and keyword is not None:
        raise click.UsageError("--markdown prints all faults: -k does not go with it")
    if markdown:
        click.echo(faults_page(faults.FAULTS), nl=False)
        return
    chosen = [
        fault for fault in faults.FAULTS if keyword is None or matches_keyword(keyword, f"{fault.name} {fault.claim}")
    ]
    if not chosen:
        raise click.UsageError(f"no fault matches -k '{keyword}'")
    console = open_console()
    cases = [
        case
        for case in choose_cases((), [Reference()], level=Level.PLAN).cases
        # Cases that end at level plan are left out, because the others boot similar instances.
        if case.point.scenario.deepest_level is Level.GUEST
    ]
    with open_prover(cases, level, results, progress=status_on(console)) as prover:
        sys.exit(run_proofs(prover, chosen, console).exit_code)
