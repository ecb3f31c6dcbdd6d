"""Fan-out of a scenario over its matrix: every combination of the axes' values, without the exclusions."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.frozen import Frozen
from harness.scenario.models import Matrix, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REMOVED = object()


class Point(Frozen):
    """One combination of values. ``id`` is unique and stable; ``scenario`` has the values in place and no matrix."""

    id: str
    values: dict[str, Any]
    scenario: Scenario


class ExcludedPoint(Frozen):
    """A combination that the scenario leaves out, and why."""

    id: str
    values: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class InvalidPoint:
    """A combination whose values make the scenario invalid, with the data as in YAML and with pydantic's error."""

    id: str
    values: dict[str, Any]
    data: dict[str, Any]
    error: ValidationError


@dataclass(frozen=True)
class Expansion:
    """All combinations of a scenario, in the order of its axes; the last axis varies fastest."""

    combinations: tuple[Point | ExcludedPoint | InvalidPoint, ...] = ()

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The combinations that are scenarios."""
        return tuple(each for each in self.combinations if isinstance(each, Point))

    @property
    def excluded(self) -> tuple[ExcludedPoint, ...]:
        """The combinations that the scenario leaves out."""
        return tuple(each for each in self.combinations if isinstance(each, ExcludedPoint))


def expand(scenario: Scenario) -> Expansion:
    """Build every point of a scenario. A scenario without a matrix has one point: the scenario itself."""
    return Expansion(tuple(_combination(scenario, point_id, values) for point_id, values in _named_values(scenario)))


def _combination(scenario: Scenario, point_id: str, values: dict[str, Any]) -> Point | ExcludedPoint | InvalidPoint:
    reason = exclusion_reason(scenario, values)
    if reason is not None:
        return ExcludedPoint(id=point_id, values=values, reason=reason)
    data = data_at(scenario, values)
    try:
        at_point = Scenario.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        return InvalidPoint(point_id, values, data, error)
    return Point(id=point_id, values=values, scenario=at_point)


def _named_values(scenario: Scenario) -> Iterator[tuple[str, dict[str, Any]]]:
    if scenario.matrix is None:
        yield scenario.name, {}
        return
    taken: set[str] = set()
    for values in itertools.product(*scenario.matrix.axes.values()):
        label = "-".join(label_of(value) for value in values)
        unique = next(name for name in _numbered(label) if name not in taken)
        taken.add(unique)
        yield f"{scenario.name}[{unique}]", dict(zip(scenario.matrix.axes, values, strict=True))


def exclusion_reason(scenario: Scenario, values: Mapping[str, Any]) -> str | None:
    """Return the reason of the first exclusion that matches the combination; None if no exclusion matches."""
    exclusions = scenario.matrix.exclude if scenario.matrix is not None else ()
    for exclusion in exclusions:
        if all(key in values and values[key] == value for key, value in exclusion.when.items()):
            return exclusion.reason
    return None


def data_at(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scenario's data as in YAML, with the values at their dotted keys and without the matrix."""
    data = scenario.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"matrix", "sweep"})
    for key, value in values.items():
        _put(data, key.split("."), _REMOVED if value is None else value)
    for key in removed_items(values):
        items = data
        *parents, index = key.split(".")
        for part in parents:
            items = items[int(part)] if isinstance(items, list) else items[part]
        del items[int(index)]  # type: ignore[arg-type]
    return data


def removed_items(values: Mapping[str, Any]) -> list[str]:
    """Return the keys of list items that the values remove, last index first, so that the other indices stay valid."""
    removed = [key for key, value in values.items() if value is None and key.rpartition(".")[2].isdecimal()]
    return sorted(removed, key=lambda key: int(key.rpartition(".")[2]), reverse=True)


def _put(data: Any, parts: list[str], value: Any) -> None:
    *parents, last = parts
    for part in parents:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    if isinstance(data, list):
        if value is not _REMOVED:
            data[int(last)] = value
    elif value is _REMOVED:
        data.pop(last, None)
    else:
        data[last] = value


def matrix_with_sweep(scenario: Scenario) -> Scenario:
    """Return the scenario with the axes and exclusions of ``sweep`` in its matrix; they win over equal ones."""
    own = scenario.matrix or Matrix.model_construct(axes={}, exclude=())
    free = scenario.sweep or Matrix.model_construct(axes={}, exclude=())
    whole = Matrix(axes=own.axes | free.axes, exclude=(*own.exclude, *free.exclude))
    return scenario.model_copy(update={"matrix": whole, "sweep": None})


def label_of(value: Any) -> str:
    """Return a value's text in the id of a point."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case dict():
            return "+".join(label_of(part) for part in value.values()) or "empty"
        case list() | tuple():
            return "+".join(label_of(part) for part in value) or "empty"
        case _:
            return re.sub(r"[^A-Za-z0-9._+-]+", "_", str(value)) or "empty"


def _numbered(label: str) -> Iterator[str]:
    yield label
    yield from (f"{label}-{number}" for number in itertools.count(2))
