"""A case is plain data: it comes back from JSON as it was, with what its file left to defaults."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases
from harness.reading.loading import load_scenarios
from harness.scenario.words import Level


def written(value: object) -> object:
    """Return what was written of a model, down to its innermost value."""
    if isinstance(value, BaseModel):
        return {name: written(getattr(value, name)) for name in value.model_fields_set}
    if isinstance(value, tuple | list):
        return [written(each) for each in value]
    return value


def test_every_shipped_case_comes_back_from_json_as_it_was() -> None:
    cases = collect_cases([SHIPPED_SUITE], Reference(), repeat=2)
    assert len(cases) > 100
    for case in cases:
        again = Case.from_json(case.to_json())
        assert again == case
        assert written(again) == written(case), case.id
        assert type(again.level) is Level


def test_what_is_no_case_is_refused() -> None:
    (case, *_) = collect_cases([SHIPPED_SUITE / "stable"], Reference())
    with pytest.raises(ValidationError, match="level"):
        Case.from_json(case.to_json().replace('"level":"plan"', '"level":"cellar"'))


def test_a_pattern_of_the_shipped_suite_hides_no_finding_that_was_not_meant() -> None:
    patterns = [
        f"{loaded.path.name}: {entry.claim} {entry.device}"
        for loaded in load_scenarios([SHIPPED_SUITE])
        for expectation in loaded.scenario.expect
        for entry in expectation.findings
        if set("*?[") & set(entry.device) and entry.count is None
    ]
    assert not patterns
