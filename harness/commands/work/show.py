"""``rescue-harness show``: the domains and disks of a scenario's cases."""

from __future__ import annotations

from pathlib import Path

from rich.syntax import Syntax

from harness.commands.work.chosen_cases import chosen_cases
from harness.errors import Refused
from harness.implementation.registry import implementation_of, opened
from harness.level.planner import open_planner
from harness.report.terminal.console import open_console
from harness.report.terminal.table import plan_table
from harness.result.case_result import Refusal
from harness.scenario.words import Level


def work(scenario: Path, keyword: str | None, xml: bool, name: str) -> None:
    """Plan the cases and print each state's domain and the table of disks."""
    implementation = implementation_of(name)
    cases = chosen_cases([scenario], [implementation], level=Level.PLAN, keyword=keyword).cases
    console = open_console()
    with opened([implementation]), open_planner() as planner:
        for case in cases:
            try:
                plan = planner.plan(case, implementation)
            except Refused as refused:
                console.print(f"{case.id}: {Refusal.of(refused)}\n", soft_wrap=True)
                continue
            for state, text in plan.xml_by_state.items() if xml else ():
                console.print(f"<!-- {case.id}: {state} -->", style="bold")
                console.print(Syntax(text.strip(), "xml", background_color="default", word_wrap=False))
            console.print(plan_table(case.id, plan))
            if plan.refusal is not None:
                console.print(str(Refusal.of(plan.refusal)))
            console.print()
