"""A result that tests make others from."""

from __future__ import annotations

from harness.result.case_result import CaseResult
from harness.scenario.words import Level, VerdictName

PLANNED = CaseResult(
    case="one",
    scenario="one",
    summary="One disk",
    file="one.yaml",
    values={},
    implementation="reference",
    level=Level.PLAN,
    verdict=VerdictName.STABLE,
    expectation=None,
    as_expected=True,
    accelerator="none",
    versions={"libvirt": "9.0.0", "qemu": "7.2.22"},
    started_at="2026-01-01T00:00:00+00:00",
    elapsed_s=0.0,
    artefacts="one",
)
