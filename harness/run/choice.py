"""Choose the cases of a run: collect them from files, select by name, and leave out the impossible ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError
from harness.implementation.asking import why_not_asked
from harness.implementation.protocol import Implementation
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases
from harness.reading.keyword import matches_keyword
from harness.scenario.words import Level


@dataclass(frozen=True)
class Choice:
    """The chosen cases, and the cases that were left out.

    This host lacks something that the cases in ``lacking`` need. The cases in ``beyond`` need an unreachable level. The
    harness cannot ask the implementation for the cases in ``not_asked``.
    """

    cases: tuple[Case, ...]
    lacking: tuple[tuple[Case, HostError], ...] = ()
    beyond: tuple[Case, ...] = ()
    not_asked: tuple[tuple[Case, str], ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Each case that was left out, with the reason."""
        return (
            *(f"{case.id}: {why.message}" for case, why in self.lacking),
            *(f"{case.id}: it asks for level {case.level}" for case in self.beyond),
            *(f"{case.id}: {why}" for case, why in self.not_asked),
        )


def choose_cases(
    paths: Sequence[Path],
    implementations: Sequence[Implementation],
    *,
    level: Level = Level.GUEST,
    keyword: str | None = None,
    repeat: int = 1,
    is_in_reach: Callable[[Case], bool] = lambda _case: True,
    asked: Implementation | None = None,
) -> Choice:
    """Choose the cases below ``paths``, without any of the shipped suite, whose id matches ``keyword``.

    Cases that differ in nothing but the implementation stand side by side. ``asked``: the implementation that is asked
    for the cases, if it is another one than the case names.

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

    def why_not(case: Case) -> str | None:
        implementation = asked or named[case.implementation]
        return why_not_asked(implementation, case.point.scenario, case.level) if is_in_reach(case) else None

    named = {each.name: each for each in implementations}
    wanted = [case for row in zip(*of_each, strict=True) for case in row if is_wanted(case)]
    reasons = {case.id: why for case in wanted if (why := why_not(case)) is not None}
    return Choice(
        cases=tuple(case for case in wanted if is_in_reach(case) and case.id not in reasons),
        lacking=tuple((case, why) for case, why in lacking if is_wanted(case)),
        beyond=tuple(case for case in wanted if not is_in_reach(case)),
        not_asked=tuple((case, reasons[case.id]) for case in wanted if case.id in reasons),
    )
