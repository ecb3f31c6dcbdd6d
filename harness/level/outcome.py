"""The outcome of a case so far, at any level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.errors import Refused
from harness.result.case_result import Failure, StateRecord
from harness.scenario.words import ClaimName, VerdictName
from harness.verdict.finding import Finding
from harness.verdict.not_told import NotTold
from harness.verdict.outcome import verdict_of

Progress = Callable[[str], None]
"""A function that is called with the name of the case's present phase."""


@dataclass
class Outcome:
    """The outcome of a case so far."""

    findings: tuple[Finding, ...] = ()
    not_told: tuple[NotTold, ...] = ()
    about_model: list[Finding] = field(default_factory=list)
    additions: tuple[str, ...] = ()
    refusal: Refused | None = None
    unfit: str | None = None
    """The reason why the instance itself is unfit: it does not boot, or not from its root."""
    failure: Failure | None = None
    boots: list[StateRecord] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def add(self, *findings: Finding) -> None:
        """Add the findings of one rescue and unrescue, each finding once."""
        self.findings = tuple(dict.fromkeys((*self.findings, *findings)))

    def leave_untold(self, *parts: NotTold) -> None:
        """Add the parts of claims that one rescue and unrescue left open."""
        self.not_told = (*self.not_told, *parts)

    @property
    def is_restored(self) -> bool:
        """True if every unrescue so far restored the instance, so that further steps can be taken on it."""
        return not any(finding.claim is ClaimName.RESTORED and finding.cause == "rescue" for finding in self.findings)

    @property
    def goes_on(self) -> bool:
        """True if further steps can be taken on the instance."""
        return self.refusal is None and self.unfit is None and self.is_restored

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings about rescue or the kernel, then those about the harness's own model."""
        return (*self.findings, *self.about_model)

    @property
    def verdict(self) -> VerdictName:
        if self.failure is not None:
            return VerdictName.ERROR
        if self.unfit is not None and not self.findings:
            return VerdictName.UNFIT
        if self.refusal is not None and not self.findings:
            return VerdictName.REFUSED
        return verdict_of(self.findings)
