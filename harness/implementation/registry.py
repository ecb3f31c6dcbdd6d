"""Implementations under test by the names that users give them: ``reference``, ``nova:34.0.0``, ``nova:/src/nova``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from harness.errors import HostError, ScenarioError
from harness.implementation.nova.environments import PREFIX, Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.scenario.words import Level


class Implementations:
    """The implementations of a run by name. Safe between threads."""

    def __init__(self, *implementations: Implementation) -> None:
        self._by_name = {each.name: each for each in implementations}

    def add(self, implementation: Implementation) -> None:
        """Add an implementation, in place of another of the same name."""
        self._by_name[implementation.name] = implementation

    def __getitem__(self, name: str) -> Implementation:
        """Return the implementation of a name.

        Raises:
            HostError: the run was opened without the implementation.
        """
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(self._by_name) or "none"
            raise HostError(f"this run has no implementation '{name}'; it was opened with: {known}") from None

    def have_level(self, name: str, level: Level) -> bool:
        """Return whether the implementation of a name can be looked at at a level.

        Raises:
            HostError: the run was opened without the implementation.
        """
        return level in self[name].levels

    def cancel(self) -> None:
        """Stop all waiting for the implementations, because the run is to end."""
        for implementation in tuple(self._by_name.values()):
            implementation.cancel()


def implementation_of(name: str) -> Implementation:
    """Return the implementation of a name.

    Raises:
        ScenarioError: no implementation has the name; the hint says how to obtain one.
    """
    if name == Reference.name:
        return Reference()
    if name.startswith(PREFIX):
        return Nova(Environments().find(name.removeprefix(PREFIX)))
    known = [Reference.name, *(each.name for each in Environments().all())]
    near = difflib.get_close_matches(name, known, n=1)
    raise ScenarioError(
        f"there is no implementation '{name}'" + (f'; did you mean "{near[0]}"?' if near else ""),
        hint="use reference, nova:VERSION or nova:PATH; 'rescue-harness nova list' shows the Novas that were added",
    )


def implementations_of(names: Sequence[str]) -> list[Implementation]:
    """Return the implementations of some names, each once; without names, return the reference.

    Raises:
        ScenarioError: no implementation has one of the names.
    """
    return [implementation_of(name) for name in dict.fromkeys(names or (Reference.name,))]


@contextmanager
def opened(implementations: Sequence[Implementation]) -> Iterator[Implementations]:
    """Enter the implementations' contexts, and release their resources at the end.

    Raises:
        HostError: a resource of an implementation cannot be obtained.
    """
    with ExitStack() as stack:
        for implementation in implementations:
            stack.enter_context(implementation)
        yield Implementations(*implementations)


def require_level(implementations: Sequence[Implementation], level: Level) -> None:
    """Check that all implementations can be looked at at a level.

    Raises:
        ScenarioError: an implementation does not have the level.
    """
    for implementation in implementations:
        levels = [each for each in Level if each in implementation.levels]
        if level not in levels:
            raise ScenarioError(
                f"{implementation.name} has level {' and '.join(levels)} so far, level {level} is asked for",
                hint=f"run it with --level {levels[-1]} (pytest: --rescue-level {levels[-1]})",
            )
