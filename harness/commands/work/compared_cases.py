"""The shipped suite's cases, or a user's, that are run on several Novas."""

from __future__ import annotations

from pathlib import Path

from harness.errors import HostError, ScenarioError
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases
from harness.report.terminal.console import open_console
from harness.scenario.words import Level


def compared_cases(paths: tuple[Path, ...], keyword: str | None, level: Level) -> list[Case]:
    """The cases of both sides; those that this host cannot run or that ask for more are left out, with a line each."""
    left_out: list[tuple[Case, str]] = []

    def leave_out(case: Case, why: HostError) -> None:
        left_out.append((case, why.message))

    found = collect_cases(paths or [SHIPPED_SUITE], Reference(), keyword=keyword, level=level, left_out=leave_out)
    cases = [case for case in found if case.level.is_within(level)]
    left_out += [(case, f"it asks for level {case.level}") for case in found if not case.level.is_within(level)]
    for case, why in left_out:
        open_console().print(f"left out: {case.id}: {why}", style="dim", soft_wrap=True)
    return some(cases, keyword)


def some(cases: list[Case], keyword: str | None) -> list[Case]:
    if not cases:
        raise ScenarioError("there is no case to run" + (f": none matches -k '{keyword}'" if keyword else ""))
    return cases
