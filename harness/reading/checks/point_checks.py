"""The checks of every point of a matrix. Points that fail in the same way are reported once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.reading.checks.instance_checks import check
from harness.reading.matrix import ExcludedPoint, Expansion, Point, removed_items
from harness.reading.problem import Key, Problem, dotted, quoted
from harness.reading.translation import problems_of
from harness.scenario.models import Scenario

_Values = Mapping[str, Any]


def check_points(scenario: Scenario, expansion: Expansion) -> list[Problem]:
    """Check each point of a scenario's expansion that is not excluded."""
    points = [each for each in expansion.combinations if not isinstance(each, ExcludedPoint)]
    if not points:
        return [Problem(("matrix", "exclude"), "every combination is excluded", "at least one left")]
    failing: dict[Problem, list[_Values]] = {}
    for point in points:
        if isinstance(point, Point):
            problems = check(point.scenario)
        else:
            problems = problems_of(point.error.errors(include_url=False), point.data)
        for problem in problems:
            in_file = replace(problem, key=_key_in_file(problem.key, point.values))
            failing.setdefault(in_file, []).append(point.values)
    return [_told(scenario, problem, at, everywhere=len(at) == len(points)) for problem, at in failing.items()]


def _told(scenario: Scenario, problem: Problem, at: Sequence[_Values], *, everywhere: bool) -> Problem:
    axes = scenario.matrix.axes if scenario.matrix is not None else {}
    axis = next((axis for axis in axes if f"{dotted(problem.key)}.".startswith(f"{axis}.")), None)
    shared = {
        name: at[0][name]
        for name, values in axes.items()
        if name != axis and len(values) > 1 and all(point[name] == at[0][name] for point in at)
    }
    suffix = f", with {_listed(shared)}" if shared and not everywhere else ""
    if axis is None:
        if not (everywhere or shared):
            suffix = f", with {_listed(at[0])} and {len(at) - 1} more combinations"
        return replace(problem, found=problem.found + suffix)
    below = dotted(problem.key)[len(axis) + 1 :]
    found = f"{below}: {problem.found}" if below else problem.found
    return replace(problem, key=("matrix", "axes", axis, axes[axis].index(at[0][axis])), found=found + suffix)


def _key_in_file(key: Key, values: _Values) -> Key:
    """Return a key of a point with the list indices of the file: a point can lack items that the file's list has."""
    for removed in reversed(removed_items(values)):
        *parents, index = removed.split(".")
        depth = len(parents)
        if [str(part) for part in key[:depth]] == parents and len(key) > depth:
            part = key[depth]
            if isinstance(part, int) and part >= int(index):
                key = (*key[:depth], part + 1, *key[depth + 1 :])
    return key


def _listed(values: _Values) -> str:
    return ", ".join(f"{axis}={'none' if value is None else _plain(value)}" for axis, value in values.items())


def _plain(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else quoted(value)
