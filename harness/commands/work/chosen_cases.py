"""The cases that a command runs, and a line for each that is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from harness.errors import ScenarioError
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import Case
from harness.report.terminal.console import open_console
from harness.run.choice import Choice, choose_cases
from harness.scenario.words import Level


def chosen_cases(
    paths: Sequence[Path],
    implementations: Sequence[Implementation],
    *,
    level: Level,
    keyword: str | None,
    repeat: int = 1,
    is_in_reach: Callable[[Case], bool] = lambda _case: True,
    asked: Implementation | None = None,
) -> Choice:
    """Choose the cases, and print which ones are left out and why; ``asked`` is that of ``choose_cases``.

    Raises:
        HostError: this host lacks something for every case.
        ScenarioError: a file is wrong, every case needs a level that is out of reach, or no case can be asked for.
        UsageError: no case matches the keyword.
    """
    choice = choose_cases(
        paths, implementations, level=level, keyword=keyword, repeat=repeat, is_in_reach=is_in_reach, asked=asked
    )
    if choice.lacking and not choice.cases and not choice.beyond:
        raise choice.lacking[0][1]
    console = open_console()
    for line in choice.left_out:
        console.print(f"left out: {line}", style="dim", soft_wrap=True)
    if choice.beyond and not choice.cases:
        case = choice.beyond[0]
        raise ScenarioError(f"there is no case to run: {case.id} asks for level {case.level}")
    if choice.not_asked and not choice.cases:
        case, why = choice.not_asked[0]
        raise ScenarioError(f"there is no case to run: {case.id}: {why}")
    required(choice.cases, keyword)
    return choice


def cases_to_compare(
    paths: Sequence[Path], nova: Implementation, *, level: Level, keyword: str | None
) -> tuple[Case, ...]:
    """Choose the cases, named as the reference's, that ask for no deeper level and that a Nova can be asked for.

    Raises:
        HostError, ScenarioError, UsageError: see ``chosen_cases``.
    """
    return chosen_cases(
        paths,
        [Reference()],
        level=level,
        keyword=keyword,
        is_in_reach=lambda case: case.level.is_within(level),
        asked=nova,
    ).cases


def required(cases: Sequence[Case], keyword: str | None) -> tuple[Case, ...]:
    """Return the cases.

    Raises:
        UsageError: no case matches the keyword.
    """
    if not cases:
        raise click.UsageError(f"no case matches -k '{keyword}'")
    return tuple(cases)
