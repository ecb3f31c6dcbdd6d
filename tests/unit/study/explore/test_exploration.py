"""Random scenarios are ones that loading accepts, the same for the same seed; a failure is made small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import cast

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from harness.errors import HostExhaustedError, Refused
from harness.implementation.reference.implementation import Reference
from harness.level.planner import Planner
from harness.reading.checks.instance_checks import check
from harness.reading.loading import load_scenarios
from harness.scenario.models import Scenario
from harness.scenario.steps import DetachVolume
from harness.scenario.words import Level, Role
from harness.study.explore.exploration import Exploration, Failure, Problem, explore_plans, scenario_file, smallest
from harness.study.explore.random_scenarios import random_scenarios

from ...domain.test_disk_mapping import instance

RULES = settings(
    max_examples=60,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def drawn(seed: int) -> list[Scenario]:
    scenarios: list[Scenario] = []

    def note(each: Scenario) -> None:
        scenarios.append(each)

    hypothesis.seed(seed)(RULES(given(random_scenarios())(note)))()
    return scenarios


def test_a_random_scenario_can_exist() -> None:
    scenarios = drawn(1)
    assert len(scenarios) == 60
    assert not [problem for scenario in scenarios for problem in check(scenario)]
    assert {len(scenario.instance.disks) for scenario in scenarios} > {1, 2, 3}


def test_random_steps_are_of_every_kind() -> None:
    scenarios = [*drawn(1), *drawn(2), *drawn(3)]
    kinds = {type(step).__name__ for scenario in scenarios for step in scenario.steps}
    assert kinds == {"str", "AttachVolume", "AttachNic", "DetachVolume", "DetachNic", "Snapshot"}


def test_the_seed_decides() -> None:
    assert drawn(2) == drawn(2)
    assert drawn(2) != drawn(3)


DETACH = DetachVolume(detach="volume1")


def scenario() -> Scenario:
    disks = ("root", "ephemeral", "swap", {"role": "volume", "bus": "usb"}, "volume", "config_drive")
    subject = instance(*disks, properties={"hw_disk_bus": "scsi", "hw_vif_model": "e1000"})
    return Scenario(name="explored", summary="Found at random", instance=subject, steps=("reboot", DETACH))


def has_usb_disk(each: Scenario) -> bool:
    return any(getattr(disk, "bus", None) == "usb" for disk in each.instance.disks)


PROBLEM = Problem(frozenset({"rescue: names"}), ("one moved",))


def made_small(fails: Callable[[Scenario], bool]) -> Scenario:
    return smallest(scenario(), PROBLEM, lambda each: PROBLEM if fails(each) else None, ends=monotonic() + 60)[0]


def test_a_failure_is_made_as_small_as_still_fails() -> None:
    small = made_small(has_usb_disk)
    assert [disk.role for disk in small.instance.disks] == [Role.ROOT, Role.VOLUME]
    assert small.instance.properties.model_fields_set == set()
    assert small.steps == ()


def test_steps_that_a_failure_needs_stay() -> None:
    assert made_small(lambda each: DETACH in each.steps).steps == (DETACH,)


def test_making_small_ends_with_the_budget() -> None:
    assert smallest(scenario(), PROBLEM, lambda _each: PROBLEM, ends=monotonic() - 1) == (scenario(), PROBLEM)


def test_what_fails_otherwise_is_not_what_is_made_small() -> None:
    def try_one(each: Scenario) -> Problem:
        if has_usb_disk(each):
            return Problem(frozenset({"rescue: names"}), (f"of {len(each.instance.disks)} disks one moved",))
        return Problem(frozenset({"HostError"}), ("there is no memory for a guest",))

    small, problem = smallest(scenario(), try_one(scenario()), try_one, ends=monotonic() + 60)
    assert has_usb_disk(small)
    assert problem.sentences == ("of 2 disks one moved",)


def test_a_failure_becomes_a_scenario_file_that_loads(tmp_path: Path) -> None:
    name, text = scenario_file(Failure(scenario(), Level.MACHINE, ("names: volume1: sda -> sdb",)), seed=7)
    (tmp_path / name).write_text(text)
    (loaded,) = load_scenarios([tmp_path / name])
    assert loaded.scenario.level is Level.MACHINE
    assert loaded.scenario.summary == "Found at random with seed 7: names: volume1: sda -> sdb"
    assert loaded.scenario.instance.disks == scenario().instance.disks
    assert loaded.scenario.steps == scenario().steps


class FullHost:
    """A planner on a host whose disk is full from some call on."""

    def __init__(self, good: int) -> None:
        self._left = good

    def plan_instance(self, *_arguments: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise HostExhaustedError("No space left on device")
        raise Refused("so far so good")


def test_a_full_disk_ends_the_exploration_and_is_no_find() -> None:
    exploration = Exploration(seed=1)
    planner = cast("Planner", FullHost(good=0))
    with pytest.raises(HostExhaustedError, match="No space left"):
        list(explore_plans(exploration, planner, Reference(), ends=monotonic() + 60))
    assert not exploration.failures
