"""Names of implementations, how deep each goes, and how their results are told apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Self

import pytest
from rich.console import Console

from harness.errors import ScenarioError
from harness.implementation.protocol import conditions_of
from harness.implementation.reference.implementation import Reference
from harness.implementation.registry import (
    Implementations,
    implementation_of,
    implementations_of,
    opened,
    require_level,
)
from harness.reading.cases import collect_cases
from harness.report.terminal.table import results_table
from harness.result.case_result import CaseResult
from harness.scenario.words import Level, VerdictName

from ..support.case_results import PLANNED

SCENARIO = "name: one\nsummary: One disk\ninstance:\n  disks: [{role: root}]\n"


class Foreign(Reference):
    """The reference with ways of its own."""

    levels = (Level.PLAN,)
    is_foreign = True
    is_open = False

    def __init__(self, name: str = "nova:34.0.0") -> None:
        self.name = name

    @property
    def versions(self) -> dict[str, str]:
        return {"nova": "34.0.0"}

    def __enter__(self) -> Self:
        type(self).is_open = True
        return self

    def __exit__(self, *_error: object) -> None:
        type(self).is_open = False


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "one.yaml"
    path.write_text(SCENARIO)
    return path


def test_the_reference_is_the_default_and_each_name_counts_once() -> None:
    assert [each.name for each in implementations_of(())] == ["reference"]
    assert [each.name for each in implementations_of(("reference", "reference"))] == ["reference"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("refrence", 'did you mean "reference"?', id="misspelt"),
        pytest.param("nova", "no implementation 'nova'", id="no-version"),
        pytest.param("nova:33.0.0", "no environment for Nova 33.0.0; added are: none so far", id="not-added"),
        pytest.param("nova:/src/nova", "rescue-harness nova add --checkout /src/nova", id="checkout-not-added"),
        pytest.param("nova:zed", "no release of Nova", id="no-release"),
    ],
)
def test_unknown_names(name: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_DATA", str(tmp_path))
    with pytest.raises(ScenarioError) as caught:
        implementation_of(name)
    assert expected in str(caught.value)


def test_a_level_that_an_implementation_does_not_have_is_one_message(scenario: Path) -> None:
    foreign = Foreign("nova:34.0.0")
    require_level([Reference(), foreign], Level.PLAN)
    with pytest.raises(ScenarioError, match=r"nova:34\.0\.0 has level plan so far, level guest is asked"):
        require_level([Reference(), foreign], Level.GUEST)
    scenario.write_text(SCENARIO.replace("summary", "level: machine\nsummary"))
    for implementation, deep in ((Reference(), False), (foreign, True)):
        (case,) = collect_cases([scenario], implementation, level=Level.PLAN)
        assert Implementations(implementation).have_level(case.implementation, case.level) is not deep


@pytest.mark.parametrize(
    ("asked", "written", "runs_at"),
    [
        (Level.GUEST, "", Level.GUEST),
        (Level.GUEST, "deepest_level: plan", Level.PLAN),
        (Level.MACHINE, "deepest_level: plan", Level.PLAN),
        (Level.PLAN, "deepest_level: machine", Level.PLAN),
        (Level.PLAN, "level: machine", Level.MACHINE),
        (Level.GUEST, "level: machine\ndeepest_level: machine", Level.MACHINE),
    ],
)
def test_a_scenario_is_run_no_deeper_than_it_says(scenario: Path, asked: Level, written: str, runs_at: Level) -> None:
    scenario.write_text(f"{SCENARIO}\n{written}\n")
    (case,) = collect_cases([scenario], Reference(), level=asked)
    assert case.level is runs_at


def test_ids_and_conditions_tell_implementations_apart(scenario: Path) -> None:
    ids = [
        case.id
        for implementation in (Reference(), Foreign("nova:34.0.0"))
        for case in collect_cases([scenario], implementation, repeat=2)
    ]
    assert ids == ["one#1", "one#2", "one#1@nova:34.0.0", "one#2@nova:34.0.0"]
    assert conditions_of(Reference()) == {"implementation": "reference"}
    assert conditions_of(Foreign("nova:34.0.0")) == {"implementation": "nova:34.0.0", "nova": "34.0.0"}


def test_what_an_implementation_holds_is_released() -> None:
    with opened([Reference(), Foreign()]):
        assert Foreign.is_open
    assert not Foreign.is_open


def result(case: str, implementation: str, verdict: VerdictName) -> CaseResult:
    return PLANNED.model_copy(update={"case": case, "implementation": implementation, "verdict": verdict})


def test_several_implementations_have_a_column_each() -> None:
    results = [
        result("one[pc]@nova:34.0.0", "nova:34.0.0", VerdictName.REFUSED),
        result("one[pc]", "reference", VerdictName.STABLE),
        result("one[q35]", "reference", VerdictName.MOVED),
    ]
    text = io.StringIO()
    Console(file=text, width=100, markup=False).print(results_table(results))
    lines = text.getvalue().splitlines()
    assert [word.strip() for word in lines[1].strip("┃").split("┃")] == ["scenario", "nova:34.0.0", "reference"]
    assert "one[pc]" in lines[3]
    assert lines[3].index("refused") < lines[3].index("stable")
    assert "@" not in text.getvalue()
