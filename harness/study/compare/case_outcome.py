"""The outcome of one case, without the parts that differ from run to run: times, random UUIDs, folders."""

from __future__ import annotations

import re

from pydantic import Field

from harness.errors import GuestAfter, who_refused
from harness.frozen import Frozen
from harness.result.case_result import CaseResult
from harness.scenario.words import ClaimName, VerdictName

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATH = re.compile(r"(?<![\w./])/(?:[^\s/'\",;:<>]+/)+[^\s/'\",;:<>]*")


class Difference(Frozen):
    """A finding without its words."""

    claim: ClaimName = Field(description="the claim that does not hold")
    device: str = Field(description="the disk's name in the scenario, or the device")
    before: str = Field(description="the value in the normal state")
    after: str = Field(description="the value in the state under test")

    def __str__(self) -> str:
        return f"{self.claim} {self.device}: {self.before} -> {self.after}"


class CaseOutcome(Frozen):
    """The outcome of a case, without what differs from run to run.

    A refusal may stand beside findings: a later rescue was refused, or the refused one did harm.
    """

    verdict: VerdictName = Field(description="how the case ended")
    findings: tuple[Difference, ...] = Field(default=(), description="the findings that count against the rescue")
    refused_by: str | None = Field(default=None, description="who refused, if anybody did")
    guest: GuestAfter = Field(default=GuestAfter.RUNNING, description="how a refusal leaves the guest")
    reason: str | None = Field(
        default=None, description="the message of the refusal or of the error, or why the instance is unfit"
    )

    def __str__(self) -> str:
        if self.verdict in (VerdictName.ERROR, VerdictName.UNFIT):
            return f"{self.verdict}: {self.reason}"
        return self.refusal or str(self.verdict)

    @property
    def refusal(self) -> str | None:
        """A sentence on who refused and why; None if nobody refused."""
        return None if self.refused_by is None else f"{who_refused(self.refused_by, self.guest)}: {self.reason}"


def outcome_of(result: CaseResult) -> CaseOutcome:
    """Return the outcome in a form to compare with another run's. Only findings that rescue has caused are in it."""
    name = result.implementation
    if result.failure is not None:
        return CaseOutcome(verdict=VerdictName.ERROR, reason=_settled(result.failure.message, name))
    if result.verdict is VerdictName.UNFIT:
        return CaseOutcome(verdict=VerdictName.UNFIT, reason=_settled(result.unfit or "", name))
    found = {
        Difference(
            claim=finding.claim,
            device=_settled(finding.device, name),
            before=_settled(finding.before, name),
            after=_settled(finding.after, name),
        )
        for finding in result.findings
        if finding.cause == "rescue"
    }
    refusal = result.refusal
    return CaseOutcome(
        verdict=result.verdict,
        findings=tuple(sorted(found, key=_order)),
        refused_by=None if refusal is None else refusal.refused_by,
        guest=GuestAfter.RUNNING if refusal is None else refusal.guest,
        reason=None if refusal is None else _settled(refusal.reason, name),
    )


def _order(difference: Difference) -> tuple[int, str, str, str]:
    return list(ClaimName).index(difference.claim), difference.device, difference.before, difference.after


def _settled(text: str, implementation: str) -> str:
    """Replace the names in a text that would differ in another run or with another checkout."""
    return _PATH.sub("PATH", _UUID.sub("UUID", text.replace(implementation, "Nova")))
