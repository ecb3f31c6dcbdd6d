"""``rescue-harness gate-nova``: a change to Nova against the commit that it began from."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from harness.commands.work.compared_cases import compared_cases
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.registry import opened, require_level
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.gating import GateDisplay, show_gate
from harness.result.folders import write_atomically
from harness.run.pool import default_jobs, obtain_needed_images
from harness.run.session import open_session
from harness.scenario.words import Level
from harness.study.compare.change_base import base_of, file_at, top_of
from harness.study.compare.gate_record import GateRecord, Side
from harness.study.compare.sides import comparisons_of, run_on, sides_of


def work(
    checkout: Path,
    paths: tuple[Path, ...],
    reference: str | None,
    environment: str | None,
    keyword: str | None,
    jobs: int | None,
    level: Level,
    results: Path,
) -> None:
    """Run both sides, compare them, and leave gate.json."""
    console = open_console()
    top = top_of(checkout)
    base = base_of(top, reference)
    lender = Environments().find(environment or str(top))
    require_level([Nova(lender)], level)
    cases = compared_cases(paths, keyword, level)
    console.print(str(base), style="dim", soft_wrap=True)
    requirements_differ = file_at(top, base.commit, "requirements.txt") != (top / "requirements.txt").read_text()
    if requirements_differ:
        console.print(f"requirements.txt differs: both sides use the libraries of {lender.name}", soft_wrap=True)
    with ExitStack() as stack:
        sides = stack.enter_context(sides_of(top, base, lender))
        novas = (Nova(sides.base), Nova(sides.change))
        held = stack.enter_context(opened(novas))
        session = stack.enter_context(
            open_session(results, progress=status_on(console), level=level, implementations=held)
        )
        obtain_needed_images(cases, session)
        with GateDisplay(console, 2 * len(cases)) as display:
            of_base, of_change = run_on(cases, novas, session, display, jobs=jobs or default_jobs(cases))
        versions = session.hypervisor.versions
        record = GateRecord(
            checkout=str(top),
            reference=base.reference,
            base=Side(implementation=novas[0].name, commit=base.commit, version=sides.base.known_version),
            change=Side(implementation=novas[1].name, commit=base.head, version=sides.change.known_version),
            is_dirty=base.is_dirty,
            requirements_differ=requirements_differ,
            environment=lender.name,
            level=level,
            versions=versions,
            comparisons=comparisons_of(cases, of_base, of_change, versions),
        )
        write_atomically(session.folder.path / "gate.json", record.model_dump_json(indent=1) + "\n")
    show_gate(record, console)
    console.print(f"results: {session.folder.path}", style="dim", soft_wrap=True)
    sys.exit(record.exit_code)
