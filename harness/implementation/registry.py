"""Implementations under test by the names that users give them: ``reference``, ``nova:34.0.0``, ``nova:/src/nova``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from harness.errors import ScenarioError
from harness.implementation.nova.environments import PREFIX, Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.protocol import ForeignImplementation, Implementation, levels_of
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import Case
from harness.scenario.words import Level

REFERENCE = "reference"


def implementation_of(name: str) -> Implementation:
    """The implementation of a name.

    Raises:
        ScenarioError: there is none; says how to come by it.
    """
    if name == REFERENCE:
        return Reference()
    if name.startswith(PREFIX):
        return Nova(Environments().find(name.removeprefix(PREFIX)))
    known = [REFERENCE, *(each.name for each in Environments().all())]
    near = difflib.get_close_matches(name, known, n=1)
    raise ScenarioError(
        f"there is no implementation '{name}'" + (f'; did you mean "{near[0]}"?' if near else ""),
        hint="reference, nova:VERSION and nova:PATH are; 'rescue-harness nova list' says which Novas were added",
    )


def implementations_of(names: Sequence[str]) -> list[Implementation]:
    """The implementations of some names, each once; the reference where there are none.

    Raises:
        ScenarioError: there is none of a name.
    """
    return [implementation_of(name) for name in dict.fromkeys(names or (REFERENCE,))]


@contextmanager
def opened(implementations: Sequence[Implementation]) -> Iterator[None]:
    """What implementations hold while they are used, released at the end.

    Raises:
        HostError: it cannot be had.
    """
    with ExitStack() as stack:
        for implementation in implementations:
            if isinstance(implementation, ForeignImplementation):
                stack.enter_context(implementation)
        yield


def require_level(implementations: Sequence[Implementation], level: Level) -> None:
    """Check that all of them can be looked at as deep as asked.

    Raises:
        ScenarioError: one cannot.
    """
    for implementation in implementations:
        levels = [each for each in Level if each in levels_of(implementation)]
        if level not in levels:
            raise ScenarioError(
                f"{implementation.name} has level {' and '.join(levels)} so far, level {level} is asked for",
                hint=f"run it with --level {levels[-1]} (pytest: --rescue-level {levels[-1]})",
            )


def is_out_of_reach(case: Case) -> bool:
    """Whether a case's scenario asks for a level that its implementation does not have."""
    return case.level not in levels_of(case.implementation)
