"""The result of a case, whose schema is part of the output format."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field

from harness.errors import GuestAfter, Refused, who_refused
from harness.evidence.inventory import State
from harness.frozen import Frozen
from harness.scenario.models import Expectation
from harness.scenario.words import Level, VerdictName
from harness.verdict.coverage import ClaimStatus
from harness.verdict.finding import Finding
from harness.verdict.outcome import told_as_unexpected, told_as_unfit


class Refusal(Frozen):
    """A refusal by the implementation, or by a lower layer."""

    reason: str = Field(description="the message of whoever refused")
    refused_by: str = Field(description="who refused, such as 'libvirt', 'QEMU', 'nova-api' or 'blueprint'")
    guest: GuestAfter = Field(
        default=GuestAfter.RUNNING,
        description="how the refusal leaves the guest: untouched, off, or without an instance at all",
    )

    @classmethod
    def of(cls, refused: Refused) -> Self:
        """Return the record of a refusal."""
        return cls(reason=refused.reason, refused_by=refused.refused_by, guest=refused.guest)

    def __str__(self) -> str:
        return f"{who_refused(self.refused_by, self.guest)}: {self.reason}"


class Failure(Frozen):
    """A failure of the host or of the harness."""

    kind: str = Field(description="the class of the error, such as 'HostError' or 'GuestError'")
    message: str = Field(description="what happened, and what to do next")


class StateRecord(Frozen):
    """One boot of a case."""

    state: State = Field(description="the state that was booted")
    boot_id: str = Field(description="the kernel's boot id, which proves a new boot")
    boot_s: float = Field(description="seconds from the domain's start to the open SSH connection")
    control: bool = Field(default=False, description="whether it is a control boot")


class CaseResult(Frozen):
    """How one case ended."""

    schema_version: Literal[1] = Field(default=1, description="the version of this format")
    case: str = Field(description="the case's id")
    scenario: str = Field(description="the scenario's name")
    summary: str = Field(description="the scenario's summary")
    file: str = Field(description="the scenario's file")
    values: dict[str, Any] = Field(description="the values of the case's point in the matrix, by dotted key")
    implementation: str = Field(
        description="the implementation under test: 'reference', or a Nova such as 'nova:34.0.0'"
    )
    level: Level = Field(description="the source of the evidence")
    repetition: int = Field(default=1, ge=1, description="the number of the repetition, with '--repeat'")
    verdict: VerdictName = Field(
        description="how the case ended; 'unfit' is the instance itself, before any rescue; 'error' is the host or the"
        " harness, never the product"
    )
    expectation: Expectation | None = Field(
        description="the entry of 'expect' that holds; null if there is none for these versions"
    )
    as_expected: bool = Field(description="whether the case ended as expected")
    mismatch: tuple[str, ...] = Field(default=(), description="a sentence for each difference from the expectation")
    findings: tuple[Finding, ...] = Field(default=(), description="the ways in which claims do not hold")
    additions: tuple[str, ...] = Field(
        default=(), description="the rescue device and the controllers that came with it, in words"
    )
    claims: tuple[ClaimStatus, ...] = Field(
        default=(), description="the outcome of each claim; empty if nothing was compared"
    )
    refusal: Refusal | None = Field(default=None, description="the refusal, if there was one")
    unfit: str | None = Field(
        default=None, description="why the instance itself is unfit: it does not boot, or not from its root"
    )
    failure: Failure | None = Field(default=None, description="with the verdict 'error': the failure")
    boots: tuple[StateRecord, ...] = Field(default=(), description="the boots of the case in their order")
    accelerator: str = Field(description="KVM or TCG, and why")
    versions: dict[str, str] = Field(description="the versions of QEMU, libvirt, kernels, Python and the harness")
    started_at: str = Field(description="the time of the start, ISO 8601 in UTC")
    elapsed_s: float = Field(description="seconds that the case took")
    artefacts: str = Field(description="the folder of the case, relative to the run's folder")

    @property
    def shared_case(self) -> str:
        """The case's id without the implementation's name: the same for all of them."""
        return self.case.removesuffix(f"@{self.implementation}")

    @property
    def repeated_case(self) -> str:
        """The case's id without the number of ``--repeat``: the same for all repetitions."""
        named = self.case.removeprefix(self.shared_case)
        return self.shared_case.removesuffix(f"#{self.repetition}") + named

    def sentences(self) -> tuple[str, ...]:
        """Return the outcome as sentences."""
        if self.failure is not None:
            return (self.failure.message,)
        return (*(finding.sentence for finding in self.findings), *self.ends)

    @property
    def sentences_beside_mismatch(self) -> tuple[str, ...]:
        """The sentences of the outcome that no sentence of ``mismatch`` tells."""
        if self.failure is not None:
            return self.sentences()
        findings = (finding.sentence for finding in self.findings_beside_mismatch)
        return (*findings, *self.ends_beside_mismatch)

    @property
    def told_mismatch(self) -> tuple[str, ...]:
        """The sentences of ``mismatch`` that say more than the failure does."""
        return () if self.failure is not None else self.mismatch

    @property
    def ends_beside_mismatch(self) -> tuple[str, ...]:
        """The sentences on a refusal and on an unfit instance that no sentence of ``mismatch`` tells."""
        return tuple(said for said in self.ends if not any(said in told for told in self.mismatch))

    @property
    def ends(self) -> tuple[str, ...]:
        refusal = () if self.refusal is None else (str(self.refusal),)
        return refusal if self.unfit is None else (*refusal, told_as_unfit(self.unfit))

    @property
    def findings_beside_mismatch(self) -> tuple[Finding, ...]:
        """The findings that no sentence of ``mismatch`` tells."""
        return tuple(each for each in self.findings if told_as_unexpected(each) not in self.mismatch)


class RunSummary(Frozen):
    """A whole run. The file is written again after each case, so that a killed run loses no finished case."""

    schema_version: Literal[1] = Field(default=1, description="the version of this format")
    started_at: str = Field(description="the time of the start, ISO 8601 in UTC")
    accelerator: str = Field(description="KVM or TCG, and why")
    versions: dict[str, str] = Field(description="the versions of QEMU, libvirt, kernels, Python and the harness")
    results: tuple[CaseResult, ...] = Field(description="the results so far")


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``result.json``."""
    schema = CaseResult.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rescue-harness:result",
        **schema,
    }


def run_schema() -> dict[str, Any]:
    """The JSON Schema of ``run.json``."""
    return RunSummary.model_json_schema(mode="serialization")
