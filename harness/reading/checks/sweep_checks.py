"""Checks of a scenario's free keys: each key exists, and each value is one that the key can have.

The sweep itself checks whether the values of a combination go together; its grid shows impossible combinations.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from harness.reading.checks.condition_checks import MOST_COMBINATIONS, check_matrix
from harness.reading.matrix import data_at, matrix_with_sweep
from harness.reading.problem import Problem, dotted
from harness.reading.translation import problems_of
from harness.scenario.models import Scenario


def check_sweep(scenario: Scenario) -> list[Problem]:
    """Return every problem of the axes and exclusions of ``sweep``."""
    if scenario.sweep is None:
        return []
    problems = [
        Problem(("sweep", *problem.key[1:]), problem.found, problem.allowed, problem.nearest)
        for problem in check_matrix(matrix_with_sweep(scenario), most=MOST_COMBINATIONS)
    ]
    return problems or list(_value_problems(scenario))


def _value_problems(scenario: Scenario) -> Iterator[Problem]:
    for axis, values in (scenario.sweep.axes if scenario.sweep is not None else {}).items():
        for index, value in enumerate(values):
            data = data_at(scenario, {axis: value})
            try:
                Scenario.model_validate(data, by_alias=True, by_name=False)
            except ValidationError as error:
                for problem in problems_of(error.errors(include_url=False), data):
                    below = dotted(problem.key).removeprefix(axis).lstrip(".")
                    found = f"{below}: {problem.found}" if below else problem.found
                    yield Problem(("sweep", "axes", axis, index), found, problem.allowed, problem.nearest)
