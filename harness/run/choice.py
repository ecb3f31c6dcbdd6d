"""Choose the cases of a run: collect them from files, select by name, and leave out the impossible ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError
from harness.implementation.protocol import Implementation
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases
from harness.reading.keyword import matches_keyword
from harness.scenario.words import Level


@dataclass(frozen=True)
class Choice:
    """The chosen cases, and the cases that were left out.

    This host lacks something that the cases in ``lacking`` need. The cases in ``beyond`` need an unreachable level.
    """

    cases: tuple[Case, ...]
    lacking: tuple[tuple[Case, HostError], ...] = ()
    beyond: tuple[Case, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Each case that was left out, with the reason."""
        return (
            *(f"{case.id}: {why.message}" for case, why in self.lacking),
            *(f"{case.id}: it asks for level {case.level}" for case in self.beyond),
        )


def choose_cases(
    paths: Sequence[Path],
    implementations: Sequence[Implementation],
    *,
    level: Level = Level.GUEST,
    keyword: str | None = None,
    repeat: int = 1,
    is_in_reach: Callable[[Case], bool] = lambda _case: True,
) -> Choice:
    """Choose the cases below ``paths``, without any of the shipped suite, whose id matches ``keyword``.

    Cases that differ in nothing but the implementation stand side by side.

    Raises:
        ScenarioError: a file is wrong, or the keyword expression is.
    """
    lacking: list[tuple[Case, HostError]] = []
    of_each = [
        collect_cases(
            paths or [SHIPPED_SUITE],
            implementation,
            repeat=repeat,
            level=level,
            left_out=lambda case, why: lacking.append((case, why)),
        )
        for implementation in implementations
    ]

    def is_wanted(case: Case) -> bool:
        return keyword is None or matches_keyword(keyword, case.id)

    wanted = [case for row in zip(*of_each, strict=True) for case in row if is_wanted(case)]
    return Choice(
        cases=tuple(case for case in wanted if is_in_reach(case)),
        lacking=tuple((case, why) for case, why in lacking if is_wanted(case)),
        beyond=tuple(case for case in wanted if not is_in_reach(case)),
    )
