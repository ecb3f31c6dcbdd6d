"""``gate.json``: the two sides that a gate compared, and the comparisons."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.errors import HostError
from harness.frozen import Frozen
from harness.scenario.words import Level
from harness.study.compare.case_comparison import Change, Comparison


class Side(Frozen):
    """One side of a gate: the name of its implementation in ``run.json``, and its commit."""

    implementation: str
    commit: str
    version: str | None


class GateRecord(Frozen):
    """A whole gate. ``results`` are in ``run.json`` beside it, under the implementations of the two sides."""

    schema_version: Literal[1] = 1
    checkout: str
    reference: str = Field(description="what HEAD was compared with to find the base")
    base: Side
    change: Side
    is_dirty: bool = Field(description="the change includes what is not committed")
    requirements_differ: bool
    environment: str = Field(description="whose libraries both sides used")
    level: Level
    versions: dict[str, str]
    comparisons: tuple[Comparison, ...]

    def of(self, kind: Change) -> tuple[Comparison, ...]:
        """Return the comparisons of one kind."""
        return tuple(comparison for comparison in self.comparisons if comparison.kind is kind)

    @property
    def exit_code(self) -> int:
        """The exit code: 0 nothing became worse, 1 something did, 3 a case could not be compared."""
        if self.of(Change.NOT_COMPARED):
            return HostError.exit_code
        return int(bool(self.of(Change.WORSE)))


def gate_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``gate.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rescue-harness:gate",
        **GateRecord.model_json_schema(mode="serialization"),
    }
