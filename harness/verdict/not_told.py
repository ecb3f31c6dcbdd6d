"""Say what a case does not compare because a guest does not tell it: unknown is neither equal nor different."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName, Level
from harness.verdict.comparison import Comparison, compare
from harness.verdict.disks import unknown_traits
from harness.verdict.expected import Expected
from harness.verdict.links import unknown_links
from harness.verdict.platform import platform_traits
from harness.verdict.traits import untold_traits

ALL_OF_CLAIM = "all of it"
"""The part that is not compared, if it is the whole claim."""
_OF_UNRESCUED = (ClaimName.RESTORED, ClaimName.DATA)


class NotTold(NamedTuple):
    """A part of a claim that was not compared."""

    claim: ClaimName
    what: str


def not_reached(state: State) -> tuple[NotTold, ...]:
    """Return the parts of claims that nobody could compare because a state did not come about."""
    if state is State.RESCUED:
        of_rescued = (claim for claim in ClaimName if claim not in _OF_UNRESCUED)
        return tuple(NotTold(claim, ALL_OF_CLAIM) for claim in of_rescued)
    return (
        *(NotTold(claim, ALL_OF_CLAIM) for claim in _OF_UNRESCUED),
        NotTold(ClaimName.BOOTED_FROM_RESCUE, "the medium of the unrescued state"),
    )


def not_told(normal: Inventory, other: Inventory, state: State, expected: Expected) -> tuple[NotTold, ...]:
    """Return everything that the guests of two states do not both tell; nothing for the other levels."""
    if Level.GUEST not in {normal.level, other.level}:
        return ()
    comparison = compare(state, normal, other, expected, booted_before=())
    return tuple(_not_told(comparison))


def _not_told(comparison: Comparison) -> Iterator[NotTold]:
    claim = ClaimName.RESTORED if comparison.state is State.UNRESCUED else None
    for links in unknown_links(comparison):
        yield NotTold(claim or ClaimName.LINKS, links)
    for traits in unknown_traits(comparison):
        yield NotTold(claim or ClaimName.IDENTITY, traits)
    for aspect, text in untold_traits(comparison):
        yield NotTold(claim or aspect, text)
    for trait in platform_traits(comparison):
        if (trait.before is None) != (trait.after is None):
            yield NotTold(claim or ClaimName.OTHER_HARDWARE, f"{trait.device} {trait.name}")
