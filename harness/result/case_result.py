"""The result of a case, whose schema is part of the output format."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field

from harness.errors import GuestAfter, Refused
from harness.evidence.inventory import State
from harness.frozen import Frozen
from harness.implementation.refusals import who_refused
from harness.scenario.models import Expectation
from harness.scenario.words import Level, VerdictName
from harness.verdict.coverage import ClaimStatus
from harness.verdict.finding import Finding
from harness.verdict.outcome import told_as_unexpected


class Refusal(Frozen):
    """The implementation said no: why, on whose behalf, and how that leaves the guest."""

    reason: str
    refused_by: str
    guest: GuestAfter = GuestAfter.RUNNING

    @classmethod
    def of(cls, refused: Refused) -> Self:
        """Return the record of a refusal."""
        return cls(reason=refused.reason, refused_by=refused.refused_by, guest=refused.guest)

    def __str__(self) -> str:
        return f"{who_refused(self.refused_by, self.guest)}: {self.reason}"


class Failure(Frozen):
    """Host or harness failed; ``kind`` is the error's class."""

    kind: str
    message: str


class StateRecord(Frozen):
    """One boot of a case. ``boot_s`` is from the domain's start to the open SSH connection, in seconds."""

    state: State
    boot_id: str
    boot_s: float
    control: bool = False


class CaseResult(Frozen):
    """How one case ended. ``elapsed_s`` is in seconds, ``started_at`` ISO 8601 in UTC."""

    schema_version: Literal[1] = 1
    case: str
    scenario: str
    summary: str
    file: str
    values: dict[str, Any]
    implementation: str
    level: Level
    repetition: int = Field(default=1, ge=1)
    verdict: VerdictName
    expectation: Expectation | None = Field(description="None where the scenario has none for these versions")
    as_expected: bool
    mismatch: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    additions: tuple[str, ...] = ()
    claims: tuple[ClaimStatus, ...] = Field(default=(), description="empty where nothing was compared")
    refusal: Refusal | None = None
    failure: Failure | None = None
    boots: tuple[StateRecord, ...] = ()
    accelerator: str
    versions: dict[str, str]
    started_at: str
    elapsed_s: float
    artefacts: str = Field(description="folder of this case, relative to the run's folder")

    @property
    def shared_case(self) -> str:
        """The case's id without the implementation's name: the same for all of them."""
        return self.case.removesuffix(f"@{self.implementation}")

    @property
    def repeated_case(self) -> str:
        """The case's id without the number of ``--repeat``: the same for all repetitions."""
        named = self.case.removeprefix(self.shared_case)
        return self.shared_case.removesuffix(f"#{self.repetition}") + named

    def sentences(self, *, beside_mismatch: bool = False) -> tuple[str, ...]:
        """Return the outcome as sentences; ``beside_mismatch`` leaves out the findings that ``mismatch`` tells."""
        if self.failure is not None:
            return (self.failure.message,)
        refusal = () if self.refusal is None else (str(self.refusal),)
        findings = self.findings_beside_mismatch if beside_mismatch else self.findings
        return (*(finding.sentence for finding in findings), *refusal)

    @property
    def findings_beside_mismatch(self) -> tuple[Finding, ...]:
        """The findings that no sentence of ``mismatch`` tells."""
        return tuple(each for each in self.findings if told_as_unexpected(each) not in self.mismatch)


class RunSummary(Frozen):
    """The whole run: every result so far, rewritten after each case so that a killed run loses none."""

    schema_version: Literal[1] = 1
    started_at: str
    accelerator: str
    versions: dict[str, str]
    results: tuple[CaseResult, ...]


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``result.json``."""
    schema = CaseResult.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rescue-harness:result",
        **schema,
    }
