"""Cases are chosen by one rule, whichever entrance asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.implementation.asking import not_asked_for
from harness.implementation.reference.implementation import Reference
from harness.run.choice import choose_cases
from harness.scenario.models import Scenario
from harness.scenario.words import Level


class Other(Reference):
    name = "other"
    is_foreign = True


class Picky(Other):
    name = "picky"

    def require_askable(self, scenario: Scenario, level: Level) -> None:
        if scenario.name == "two":
            raise not_asked_for(self.name, "two")


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


def test_what_an_implementation_cannot_be_asked_for_is_left_out_with_the_reason(folder: Path) -> None:
    choice = choose_cases([folder], [Reference(), Picky()], keyword="one or two")
    assert [case.id for case in choice.cases] == ["one", "one@picky", "two"]
    assert choice.left_out == ("two@picky: so far picky cannot be asked for two",)


def test_cases_can_be_chosen_for_another_implementation_than_they_name(folder: Path) -> None:
    choice = choose_cases([folder], [Reference()], keyword="one or two", asked=Picky())
    assert [case.id for case in choice.cases] == ["one"]


def test_an_implementation_with_disks_of_its_own_takes_no_step_that_attaches(tmp_path: Path) -> None:
    steps = "steps: [reboot, {detach: volume1}, {attach: {role: volume}}]\n"
    (tmp_path / "hot.yaml").write_text(
        "name: hot\nsummary: Steps\ninstance: {disks: [{role: root}, {role: volume}]}\n" + steps
    )
    own = Other()
    own.makes_own_disks = True
    ((_, why),) = choose_cases([tmp_path], [own]).not_asked
    assert why.startswith("so far other cannot be asked for the step 'attach")


def test_without_paths_the_shipped_suite_is_chosen_from() -> None:
    assert len(choose_cases((), [Reference()], level=Level.PLAN).cases) > 100


def test_an_expression_that_cannot_be_read_is_the_users_error(folder: Path) -> None:
    with pytest.raises(ScenarioError, match="ends too early"):
        choose_cases([folder], [Reference()], keyword="one and")
