"""Say which claims each level leaves unchecked, wholly or in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from harness.frozen import Frozen
from harness.scenario.words import ClaimName, Level
from harness.verdict.finding import Finding
from harness.verdict.not_told import ALL_OF_CLAIM, NotTold

Status = Literal["held", "broken", "partly", "not-checked"]

_NO_GUEST: Mapping[ClaimName, str] = {
    ClaimName.BOOTED_FROM_RESCUE: "which medium the firmware really boots",
    ClaimName.NAMES: "the names that Linux really gives",
    ClaimName.CONTENT: "the bytes",
    ClaimName.RESTORED: "the UEFI variables, and the guest's own view",
}
_BLIND = (ClaimName.LINKS, ClaimName.DATA)
_PARTLY: Mapping[Level, Mapping[ClaimName, str]] = {
    Level.PLAN: {
        **_NO_GUEST,
        ClaimName.IDENTITY: "sizes, and the backing files that only the files themselves name",
        ClaimName.OTHER_HARDWARE: "the devices that QEMU builds, and the guest's view of them",
    },
    Level.MACHINE: {**_NO_GUEST, ClaimName.OTHER_HARDWARE: "the guest's view of the devices"},
    Level.GUEST: {},
}


class ClaimStatus(Frozen):
    """The outcome of one claim."""

    claim: ClaimName = Field(description="the claim")
    status: Status = Field(
        description="'held'; 'broken' by a finding that counts against the rescue; 'partly': it held as far as the"
        " level sees; 'not-checked'"
    )
    unseen: str | None = Field(
        default=None, description="the part of the claim that the level, or a guest of this case, does not tell"
    )


def blind_to(level: Level) -> frozenset[ClaimName]:
    """Return the claims of which the level sees nothing."""
    return frozenset() if level is Level.GUEST else frozenset(_BLIND)


def claim_statuses(
    level: Level, findings: Sequence[Finding], not_told: Sequence[NotTold] = ()
) -> tuple[ClaimStatus, ...]:
    """Return the status of each claim: broken by a finding of rescue's, held, held as far as seen, or not checked.

    ``not_told``: the parts of claims for which this case lacks the evidence, though the level sees them elsewhere.
    """
    broken = {finding.claim for finding in findings if finding.cause == "rescue"}
    return tuple(_status(claim, level, not_told, broken=claim in broken) for claim in ClaimName)


def _status(claim: ClaimName, level: Level, not_told: Sequence[NotTold], *, broken: bool) -> ClaimStatus:
    if claim in blind_to(level):
        return ClaimStatus(claim=claim, status="not-checked", unseen=ALL_OF_CLAIM)
    of_level = _PARTLY[level].get(claim)
    of_case = dict.fromkeys(each.what for each in not_told if each.claim is claim)
    unseen = "; ".join((*((of_level,) if of_level else ()), *of_case)) or None
    if broken:
        return ClaimStatus(claim=claim, status="broken", unseen=unseen)
    if ALL_OF_CLAIM in of_case:
        return ClaimStatus(claim=claim, status="not-checked", unseen=ALL_OF_CLAIM)
    return ClaimStatus(claim=claim, status="held" if unseen is None else "partly", unseen=unseen)
