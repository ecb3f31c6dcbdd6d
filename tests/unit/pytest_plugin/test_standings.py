"""pytest, whose one exit code stands for everything, says which cases ended how."""

from __future__ import annotations

import pytest

from harness.pytest_plugin.on_demand import STANDING, standings_sentence
from harness.result.standing import Standing


def report(*properties: tuple[str, object]) -> pytest.TestReport:
    return pytest.TestReport(
        "scenarios/one.yaml::one",
        ("one", None, "one"),
        {},
        "failed",
        None,
        "call",
        user_properties=list(properties),
    )


def test_each_kind_is_counted_in_one_line() -> None:
    reports = [
        report(("verdict", "moved"), (STANDING, str(Standing.OTHERWISE))),
        report((STANDING, str(Standing.NOT_JUDGED))),
        report((STANDING, str(Standing.NOT_JUDGED))),
        report(),
    ]
    assert standings_sentence(reports) == "0 as expected, 1 not as expected, 2 could not be judged"


def test_a_run_without_cases_has_no_such_line() -> None:
    assert standings_sentence([report(("verdict", "moved"))]) is None
