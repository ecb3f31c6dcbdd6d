"""Tell a state that did not come up: as a finding against the rescue, or as the word on an unfit instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import State
from harness.scenario.words import ClaimName
from harness.verdict.booting import boots_otherwise
from harness.verdict.expected import RESCUE, Expected
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from harness.errors import DidNotBoot
    from harness.evidence.inventory import Inventory

NOTHING = "nothing"
"""The ``after`` of a finding about a state in which no system came up."""


def boots_nothing(state: State, expected: Expected, error: DidNotBoot) -> Finding:
    """Return the finding about a rescued or unrescued state that did not come up, although the instance had booted."""
    said = f"boots nothing, in two boots of the {state} state: {error.message}"
    if state is State.RESCUED:
        return Finding(claim=ClaimName.BOOTED_FROM_RESCUE, device=RESCUE, before=RESCUE, after=NOTHING, message=said)
    return Finding(
        claim=ClaimName.RESTORED,
        aspect=ClaimName.BOOTED_FROM_RESCUE,
        device=expected.root,
        before=expected.root,
        after=NOTHING,
        message=said,
    )


def why_unfit(normal: Inventory, expected: Expected) -> str | None:
    """Return a sentence on what an instance boots from in place of its root; None if it boots from its root."""
    return next((finding.message for finding in boots_otherwise(normal, expected)), None)


def why_dead(error: DidNotBoot) -> str:
    """Return a sentence on an instance that did not come up in two boots."""
    return f"the instance itself boots nothing, in two boots: {error}"
