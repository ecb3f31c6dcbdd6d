"""From what a file holds to a scenario, or to everything that is wrong with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.reading.checks.condition_checks import check_expectations, check_levels, check_matrix
from harness.reading.checks.point_checks import check_points
from harness.reading.checks.sweep_checks import check_sweep
from harness.reading.keys import ROLES_AT, axis_keys
from harness.reading.matrix import Expansion, expand
from harness.reading.problem import Key, Problem
from harness.reading.translation import problems_of, written_key
from harness.scenario.models import Scenario
from harness.scenario.words import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

_REQUIRED = "a mapping with at least name, summary and instance"
_STAND_IN = "x"
_SURE_WITHOUT_BUS = ("name", "device_name")
_SURE_WITHOUT_MACHINE = (*_SURE_WITHOUT_BUS, "serial")


@dataclass(frozen=True)
class Validated:
    """The scenario and its combinations, if the data make a scenario, and what is wrong."""

    scenario: Scenario | None
    problems: tuple[Problem, ...] = ()
    expansion: Expansion = field(default_factory=Expansion)


def validate(data: Any) -> Validated:
    """Check the data of a file, and every point of its matrix."""
    if data is None:
        return Validated(None, (Problem((), "the file is empty", _REQUIRED),))
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else "a single value"
        return Validated(None, (Problem((), f"found {found}", _REQUIRED),))
    scenario, errors = _parsed(data)
    if scenario is not None:
        problems, expansion = _checked(scenario, certain=True)
        return Validated(scenario, _distinct(problems), expansion)
    return Validated(None, _distinct([*problems_of(errors, data), *_further_problems(data, errors)]))


def _parsed(data: Mapping[str, Any]) -> tuple[Scenario | None, Sequence[ErrorDetails]]:
    try:
        return Scenario.model_validate(data, by_alias=True, by_name=False), ()
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _checked(scenario: Scenario, *, certain: bool) -> tuple[list[Problem], Expansion]:
    in_matrix = check_matrix(scenario)
    in_sweep = [] if in_matrix else check_sweep(scenario)
    if in_matrix:
        scenario = scenario.model_copy(update={"matrix": None})
    expansion = expand(scenario)
    known = expansion.points if certain and not in_matrix and scenario.sweep is None else ()
    in_expectations = check_expectations(scenario, [axis_keys(point.scenario) for point in known])
    at_points = check_points(scenario, expansion)
    return [*check_levels(scenario), *in_matrix, *in_sweep, *at_points, *in_expectations], expansion


def _further_problems(data: Mapping[str, Any], errors: Sequence[ErrorDetails]) -> list[Problem]:
    """What is wrong with the rest of a file, so that an author sees it in the same go.

    Whatever may only follow from the values that are wrong already stays out.
    """
    keys = [written_key(error["loc"], data) for error in errors]
    rest = _without(data, keys)
    if rest is None:
        return []
    scenario, new_errors = _parsed(rest)
    if scenario is None:
        replaced = any(key[:2] == ROLES_AT and len(key) == 3 for key in keys)
        counts = [error for error in new_errors if error["loc"] == ("instance",) and error["type"] == "value_error"]
        return [] if replaced else problems_of(counts, rest)
    problems, _ = _checked(scenario, certain=False)
    return [problem for problem in problems if not _may_follow(problem.key, keys)]


def _may_follow(key: Key, wrong: Sequence[Key]) -> bool:
    """Whether a problem of the instance could vanish once the wrong values of other keys are put right."""
    if key[:1] == ("steps",) or any(str(part).startswith("steps") for part in key[2:3]):
        return any(other[:1] in {("steps",), ("instance",)} for other in wrong)
    if key[:1] != ("instance",):
        return False
    if key[:2] == ROLES_AT and any(other[:3] == key[:3] for other in wrong):
        return True
    if any(other[:2] == ("instance", "properties") for other in wrong):
        return key[-1] not in _SURE_WITHOUT_BUS
    if ("instance", "machine") in wrong:
        return key[-1] not in _SURE_WITHOUT_MACHINE
    return False


def _without(data: Mapping[str, Any], keys: Sequence[Key]) -> dict[str, Any] | None:
    rest: dict[str, Any] = copy.deepcopy(dict(data))
    for key in keys:
        match key:
            case ("name" | "summary" as name,):
                rest[name] = _STAND_IN
            case ("steps" | "matrix" | "sweep" | "expect" as name, *_):
                rest.pop(name, None)
            case ("instance",) | ("instance", "disks"):
                return None
            case ("instance", "disks", int(index)):
                rest["instance"]["disks"][index] = {"role": str(Role.VOLUME)}
            case _:
                _remove(rest, key)
    return rest


def _remove(data: Any, key: Key) -> None:
    for part in key[:-1]:
        data = data.get(part) if isinstance(data, dict) else data[int(part)] if isinstance(data, list) else None
    if isinstance(data, dict):
        data.pop(key[-1], None)


def _distinct(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))
