"""Say which claims each level leaves unchecked, wholly or in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from harness.frozen import Frozen
from harness.scenario.words import ClaimName, Level
from harness.verdict.finding import Finding

Status = Literal["held", "broken", "partly", "not-checked"]

_NO_GUEST: Mapping[ClaimName, str] = {
    ClaimName.BOOTED_FROM_RESCUE: "which medium the firmware really boots",
    ClaimName.NAMES: "the names that Linux really gives",
    ClaimName.CONTENT: "the bytes",
    ClaimName.RESTORED: "the UEFI variables, and what the guest shows of all this",
}
_BLIND = (ClaimName.LINKS, ClaimName.DATA)
_PARTLY: Mapping[Level, Mapping[ClaimName, str]] = {
    Level.PLAN: {
        **_NO_GUEST,
        ClaimName.IDENTITY: "sizes, and what the files are laid over",
        ClaimName.OTHER_HARDWARE: "what QEMU builds of it, and what the guest makes of that",
    },
    Level.MACHINE: {**_NO_GUEST, ClaimName.OTHER_HARDWARE: "what the guest makes of it"},
    Level.GUEST: {},
}


class ClaimStatus(Frozen):
    """The outcome of one claim; ``unseen`` says which part of it the level could not look at."""

    claim: ClaimName
    status: Status
    unseen: str | None = None


def blind_to(level: Level) -> frozenset[ClaimName]:
    """Return the claims of which the level sees nothing."""
    return frozenset() if level is Level.GUEST else frozenset(_BLIND)


def claim_statuses(level: Level, findings: Sequence[Finding]) -> tuple[ClaimStatus, ...]:
    """Return the status of each claim: broken by a finding of rescue's, held, held as far as seen, or not checked."""
    broken = {finding.claim for finding in findings if finding.cause == "rescue"}
    return tuple(_status(claim, level, broken=claim in broken) for claim in ClaimName)


def _status(claim: ClaimName, level: Level, *, broken: bool) -> ClaimStatus:
    if claim in blind_to(level):
        return ClaimStatus(claim=claim, status="not-checked", unseen="all of it")
    unseen = _PARTLY[level].get(claim)
    if broken:
        return ClaimStatus(claim=claim, status="broken", unseen=unseen)
    return ClaimStatus(claim=claim, status="held" if unseen is None else "partly", unseen=unseen)
