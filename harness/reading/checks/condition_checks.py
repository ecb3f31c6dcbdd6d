"""Checks of the levels, and of the keys and values that a matrix, its exclusions and the expectations name."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from harness.reading.expectation import IMPLEMENTATION, IMPLEMENTATIONS, VERSION_KEYS, as_condition, value_holds
from harness.reading.keys import BRANCHES, axis_keys, nearest_key, siblings
from harness.reading.problem import Key, Problem, nearest_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.scenario.models import Scenario

MOST_POINTS = 1000
MOST_COMBINATIONS = 1_000_000


def check_levels(scenario: Scenario) -> list[Problem]:
    """Report a deepest level that is shallower than the scenario's level."""
    if scenario.level.is_within(scenario.deepest_level):
        return []
    found = f"found {quoted(scenario.deepest_level)}, and level is {quoted(scenario.level)}"
    return [Problem(("deepest_level",), found, "that level or a deeper one")]


def check_matrix(scenario: Scenario, *, most: int = MOST_POINTS) -> list[Problem]:
    """Report axes that name no key, axes without values or with repeated ones, and exclusions that exclude nothing."""
    if scenario.matrix is None:
        return []
    return [*_axis_problems(scenario), *_size_problems(scenario, most), *_exclusion_problems(scenario)]


def check_expectations(scenario: Scenario, points: Sequence[Mapping[str, object]]) -> list[Problem]:
    """Report conditions that name no key or version, or that hold at none of the points' ``axis_keys``."""
    return list(_expectation_problems(scenario, points))


def _axis_problems(scenario: Scenario) -> Iterator[Problem]:
    axes = scenario.matrix.axes if scenario.matrix is not None else {}
    known = list(axis_keys(scenario))
    for axis, values in axes.items():
        key: Key = ("matrix", "axes", axis)
        if axis not in known:
            yield _unknown_key(key, axis, known)
        over = [other for other in axes if axis.startswith(f"{other}.")]
        if over:
            yield Problem(key, f"the axis {quoted(over[0])} sets this too", "axes that do not contain one another")
        if not values:
            yield Problem(key, "an axis without values", "a list of values")
        for index, value in enumerate(values):
            if value in values[:index]:
                yield Problem((*key, index), f"{quoted(value)} is in this axis already", "each value once")


def _size_problems(scenario: Scenario, most: int) -> Iterator[Problem]:
    axes = scenario.matrix.axes if scenario.matrix is not None else {}
    count = prod(len(values) for values in axes.values())
    if count > most:
        yield Problem(("matrix", "axes"), f"{count:,} combinations", f"at most {most:,}")


def _exclusion_problems(scenario: Scenario) -> Iterator[Problem]:
    if scenario.matrix is None:
        return
    axes = scenario.matrix.axes
    for index, exclusion in enumerate(scenario.matrix.exclude):
        for axis, value in exclusion.when.items():
            key: Key = ("matrix", "exclude", index, "when", axis)
            if axis not in axes:
                found = f"{quoted(axis)} is no axis of this matrix"
                yield Problem(key, found, ", ".join(axes), nearest_key(axis, list(axes)))
            elif value not in axes[axis]:
                found = f"{quoted(value)} is no value of this axis, so this excludes nothing"
                yield Problem(key, found, _listed(axes[axis]), nearest_of(value, map(str, axes[axis])))


def _expectation_problems(scenario: Scenario, points: Sequence[Mapping[str, object]]) -> Iterator[Problem]:
    known = list(axis_keys(scenario))
    if not scenario.expect:
        yield Problem(("expect",), "an empty list", "at least one entry, or no key 'expect' for stable")
    for index, expectation in enumerate(scenario.expect):
        if index and not scenario.expect[index - 1].when:
            yield Problem(
                ("expect", index),
                "this entry is never reached: the one before it has no 'when' and always holds",
                "entries with 'when' first, the one without last",
            )
        for name, wanted in expectation.when.items():
            key: Key = ("expect", index, "when", name)
            if name == IMPLEMENTATION:
                if wanted.partition(":")[0] not in IMPLEMENTATIONS:
                    near = nearest_of(wanted, IMPLEMENTATIONS)
                    yield Problem(key, f"found {quoted(wanted)}", "reference, nova, nova:VERSION or nova:PATH", near)
            elif name in VERSION_KEYS:
                yield from _version_problems(key, wanted)
            elif name not in known:
                yield _unknown_key(key, name, known, (*VERSION_KEYS, IMPLEMENTATION))
            elif points and not any(value_holds(values.get(name), wanted) for values in points):
                seen = list(dict.fromkeys(as_condition(values.get(name)) for values in points))
                found = f"{quoted(wanted)} never holds here"
                yield Problem(key, found, ", ".join(seen), nearest_of(wanted, seen))


def _version_problems(key: Key, wanted: str) -> Iterator[Problem]:
    allowed = 'a range of versions such as "<11.5" or ">=7.2,<10"'
    try:
        SpecifierSet(wanted)
    except InvalidSpecifier:
        nearest = f"=={wanted}" if _is_version(wanted) else None
        yield Problem(key, f"found {quoted(wanted)}", allowed, nearest)
        return
    if not wanted.strip():
        yield Problem(key, "found an empty range", allowed)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _unknown_key(key: Key, name: str, known: list[str], others: Sequence[str] = ()) -> Problem:
    near = nearest_key(name, [*others, *known])
    allowed = siblings(name, known) if name.startswith(BRANCHES) else [*others, *siblings(name, known)]
    suffix = ", and the keys below them" if any(branch in allowed for branch in BRANCHES) else ""
    told = ", ".join(allowed) + suffix or None
    return Problem(key, f"{quoted(name)} is no key of this scenario", told, near)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(as_condition(value) for value in values)
