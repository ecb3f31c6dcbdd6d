"""Cases are chosen by one rule, whichever entrance asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.implementation.reference.implementation import Reference
from harness.run.choice import choose_cases
from harness.scenario.words import Level


class Other(Reference):
    name = "other"
    is_foreign = True


SCENARIO = "name: {name}\nsummary: One disk\ninstance: {{disks: [{{role: root}}]}}\n{more}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, more in (("one", ""), ("two", ""), ("deep", "level: guest\n")):
        (tmp_path / f"{name}.yaml").write_text(SCENARIO.format(name=name, more=more))
    return tmp_path


def test_cases_that_differ_in_the_implementation_alone_are_side_by_side(folder: Path) -> None:
    choice = choose_cases([folder], [Reference(), Other()], keyword="one or two")
    assert [case.id for case in choice.cases] == ["one", "one@other", "two", "two@other"]


def test_the_keyword_sees_the_implementation(folder: Path) -> None:
    choice = choose_cases([folder], [Reference(), Other()], keyword="one and other", repeat=2)
    assert [case.id for case in choice.cases] == ["one#1@other", "one#2@other"]


def test_what_is_out_of_reach_is_left_out_with_the_reason(folder: Path) -> None:
    choice = choose_cases(
        [folder], [Reference()], level=Level.PLAN, is_in_reach=lambda case: case.level.is_within(Level.PLAN)
    )
    assert [case.id for case in choice.cases] == ["one", "two"]
    assert choice.left_out == ("deep: it asks for level guest",)


def test_without_paths_the_shipped_suite_is_chosen_from() -> None:
    assert len(choose_cases((), [Reference()], level=Level.PLAN).cases) > 100


def test_an_expression_that_cannot_be_read_is_the_users_error(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="ends too early"):
        choose_cases([folder], [Reference()], keyword="one and")
