"""``rescue-harness gate-nova``: a change to Nova against the commit that it began from."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from harness.commands.work.chosen_cases import cases_to_compare
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.registry import require_level
from harness.report.terminal.console import open_console, status_on
from harness.report.terminal.gating import GateDisplay, show_gate
from harness.result.folders import write_atomically
from harness.run.on_ramp import RunOptions, open_run
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
    nova = Nova(lender)
    require_level([nova], level)
    cases = cases_to_compare(paths, nova, level=level, keyword=keyword)
    console.print(str(base), style="dim", soft_wrap=True)
    requirements_differ = file_at(top, base.commit, "requirements.txt") != (top / "requirements.txt").read_text()
    if requirements_differ:
        console.print(f"requirements.txt differs: both sides use the libraries of {lender.name}", soft_wrap=True)
    with ExitStack() as stack:
        sides = stack.enter_context(sides_of(top, base, lender))
        novas = (Nova(sides.base), Nova(sides.change))
        run = stack.enter_context(open_run(RunOptions(results, level, jobs=jobs), novas, progress=status_on(console)))
        run.obtain_images(cases)
        with GateDisplay(console, 2 * len(cases)) as display:
            of_base, of_change = run_on(cases, novas, run, display)
        versions = run.session.hypervisor.versions
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
        write_atomically(run.session.folder.path / "gate.json", record.model_dump_json(indent=1) + "\n")
    show_gate(record, console)
    console.print(f"results: {run.session.folder.path}", style="dim", soft_wrap=True)
    sys.exit(record.exit_code)
