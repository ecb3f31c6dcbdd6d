"""An exploration on the terminal: the counts of scenarios tried, and a file for each failure."""

from __future__ import annotations

import time

from rich.console import Console

from harness.implementation.protocol import Implementation
from harness.level.planner import Planner
from harness.result.folders import write_atomically
from harness.run.session import Session
from harness.scenario.words import Level, VerdictName
from harness.study.explore.exploration import (
    PLAN_SHARE,
    Exploration,
    explore_deeper,
    explore_plans,
    scenario_file,
)

_WHY_MOVED = "the disks that moved are USB CD-ROMs, which libvirt before 11.5 turns into USB disks"


def run_exploration(
    session: Session, implementation: Implementation, *, seed: int, budget_s: float, level: Level, console: Console
) -> bool:
    """Explore within the budget; return whether nothing failed.

    Raises:
        HostError: a result cannot be written.
    """
    exploration = Exploration(seed)
    started = time.monotonic()
    ends = started + budget_s
    again = f"rescue-harness explore --seed {seed} --budget {budget_s:g}s --level {level}"
    console.print(f"seed {seed}: '{again}' tries the same again", soft_wrap=True)
    planner = Planner(session.hypervisor.connection, session.hypervisor.emulator)
    deeper = tuple(each for each in Level if each is not Level.PLAN and each.is_within(level))
    with console.status("planning random scenarios") as status:
        plans_end = started + budget_s * PLAN_SHARE if deeper else ends
        for _ in explore_plans(exploration, planner, implementation, ends=plans_end):
            status.update(f"{exploration.outcomes.total():,} random scenarios planned")
        if not exploration.failures:
            explore_deeper(exploration, session, implementation, deeper, ends=ends, progress=status.update)
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in exploration.outcomes.most_common())
    console.print(f"{exploration.outcomes.total():,} planned in {time.monotonic() - started:.0f} s: {counts}")
    for name, count in exploration.run_at.items():
        console.print(f"{count:,} of them run at level {name}")
    for failure in exploration.failures:
        name, text = scenario_file(failure, seed)
        write_atomically(session.folder.path / name, text)
        console.print(f"failed at level {failure.level}: {'; '.join(failure.sentences)}", style="red", soft_wrap=True)
        console.print(f"the smallest that still fails: {session.folder.path / name}", soft_wrap=True)
    if not exploration.failures:
        console.print("none failed" + (f"; {_WHY_MOVED}" if exploration.outcomes[VerdictName.MOVED] else ""))
    return not exploration.failures
