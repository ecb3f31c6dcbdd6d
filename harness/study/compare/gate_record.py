"""``gate.json``: the two sides that a gate compared, and the comparisons."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.errors import HostError
from harness.frozen import Frozen
from harness.scenario.words import Level
from harness.study.compare.case_comparison import Change, Comparison


class Side(Frozen):
    """One side of the comparison."""

    implementation: str = Field(description="the implementation under which 'run.json' has the side's results")
    commit: str = Field(description="the side's commit")
    version: str | None = Field(description="the version of Nova; null if the checkout does not tell it")


class GateRecord(Frozen):
    """The comparison of a change to Nova with its base. 'run.json' beside it has the results of both sides."""

    schema_version: Literal[1] = Field(default=1, description="the version of this format")
    checkout: str = Field(description="the git checkout of Nova")
    reference: str = Field(description="the branch or commit that HEAD was compared with to find the base")
    base: Side = Field(description="the commit that the change began from")
    change: Side = Field(description="the checkout as it is on disk")
    is_dirty: bool = Field(description="whether the change includes files that are not committed")
    requirements_differ: bool = Field(description="whether requirements.txt differs between the sides")
    environment: str = Field(description="the added Nova whose libraries both sides used")
    level: Level = Field(description="the source of the evidence")
    versions: dict[str, str] = Field(description="the versions of QEMU, libvirt, kernels, Python and the harness")
    comparisons: tuple[Comparison, ...] = Field(description="every case on both sides")

    def of(self, kind: Change) -> tuple[Comparison, ...]:
        """Return the comparisons of one kind."""
        return tuple(comparison for comparison in self.comparisons if comparison.kind is kind)

    @property
    def exit_code(self) -> int:
        """The exit code: 1 something became worse, 3 nothing did but a case could not be compared, 0 neither."""
        if self.of(Change.WORSE):
            return 1
        return HostError.exit_code if self.of(Change.NOT_COMPARED) else 0


def gate_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``gate.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rescue-harness:gate",
        **GateRecord.model_json_schema(mode="serialization"),
    }
