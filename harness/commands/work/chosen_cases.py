"""The cases that a command runs, and a line for each that is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness.errors import HostError
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases, matches_keyword
from harness.report.terminal.console import open_console
from harness.scenario.words import Level


def chosen_cases(
    paths: Sequence[Path],
    keyword: str | None,
    repeat: int = 1,
    level: Level = Level.GUEST,
    implementations: Sequence[Implementation] = (Reference(),),
) -> list[Case]:
    """The cases, those that differ in nothing but the implementation side by side."""
    left_out: list[tuple[Case, HostError]] = []
    of_each = [
        collect_cases(
            paths or [SHIPPED_SUITE],
            implementation,
            repeat=repeat,
            level=level,
            left_out=lambda case, why: left_out.append((case, why)),
        )
        for implementation in implementations
    ]
    cases = [case for row in zip(*of_each, strict=True) for case in row]
    if keyword is not None:
        cases = [case for case in cases if matches_keyword(keyword, case.id)]
        left_out = [(case, why) for case, why in left_out if matches_keyword(keyword, case.id)]
    if left_out and not cases:
        raise left_out[0][1]
    for case, why in left_out:
        open_console().print(f"left out: {case.id}: {why.message}", style="dim", soft_wrap=True)
    if not cases:
        raise click.UsageError(f"no case matches -k '{keyword}'")
    return cases
