"""``docs/reference/claims.md``: every claim, what is compared for it, and what a finding says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.report.markdown.text import UndescribedError, anchor, code, paragraphs, table, with_code, wrapped
from harness.scenario.words import ClaimName, Level
from harness.verdict.claim_descriptions import ClaimDescription
from harness.verdict.coverage import claim_statuses

_HEADER = """\
# Claims

A claim is one part of the promise. It must hold between two states of an instance: between the normal and the rescued
state, and between the normal and the unrescued state. A finding is one way in which a claim does not hold. It has a
claim, a device, the values `before` and `after`, and a sentence.

[How states are compared](comparing-states.md) says which differences are tolerated, and how a kernel race is told apart
from a move. [Levels](levels.md) says what each level compares, and what a *setting* is.
"""
_FOOTER = """\
A wrong boot medium after the unrescue stays a finding of `booted-from-rescue`. What was not looked at gives no finding:
for example UEFI variables of an instance without any, or `harness.medium=` of an image that does not set it.
"""


def claim_list_page(descriptions: Mapping[ClaimName, ClaimDescription]) -> str:
    """Return the page as Markdown.

    Raises:
        UndescribedError: a claim has no description.
    """
    missing = [claim for claim in ClaimName if claim not in descriptions]
    if missing:
        raise UndescribedError(f"the claim {missing[0]} has no description")
    rows = [[f"[{code(claim)}](#{anchor(claim)})", with_code(descriptions[claim].holds)] for claim in ClaimName]
    lines = [_HEADER, *table(["claim", "what holds when the instance is rescued"], rows), ""]
    for claim in ClaimName:
        lines += _section(claim, descriptions[claim])
    return "\n".join([*lines, _FOOTER])


def _section(claim: ClaimName, described: ClaimDescription) -> list[str]:
    lines = [f"## {claim}", "", *paragraphs(f"Compared: {described.compared}")]
    lines += ["Findings:", "", *(f"- {with_code(finding)}" for finding in described.findings), ""]
    unseen = list(_unseen(claim))
    return [*lines, *wrapped(" ".join(unseen)), ""] if unseen else lines


def _unseen(claim: ClaimName) -> Iterator[str]:
    """Say what the levels do not see of a claim."""
    by_level = {
        level: status.unseen
        for level in Level
        for status in claim_statuses(level, ())
        if status.claim is claim and status.unseen is not None
    }
    for unseen in dict.fromkeys(by_level.values()):
        levels = [code(level) for level, each in by_level.items() if each == unseen]
        yield f"Not checked at level{'s'[: len(levels) - 1]} {' and '.join(levels)}: {unseen}."
