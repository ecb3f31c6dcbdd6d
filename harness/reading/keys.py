"""The keys of scenarios: by dotted name in a scenario, and by model."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from harness.reading.problem import Key, nearest_of
from harness.scenario.models import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

BRANCHES = ("instance", "steps", "rescue_image")
ROLES_AT = ("instance", "disks")


def key_names(model: type[BaseModel]) -> list[str]:
    """Return the keys of a mapping as they are written in YAML."""
    return [field.alias or name for name, field in model.model_fields.items()]


def model_at(key: Key, role: str | None = None) -> type[BaseModel] | None:
    """Return the model behind a key of a scenario file; a disk's model depends on its role."""
    kinds: tuple[Any, ...] = (Scenario,)
    for part in key:
        kinds = tuple(alternative for kind in kinds for child in _child(kind, part) for alternative in _unfolded(child))
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    if role is not None:
        models = [model for model in models if role in _roles(model)] or models
    return models[0] if len(models) == 1 else None


def axis_keys(scenario: Scenario) -> dict[str, object]:
    """Return every dotted key that a matrix or a condition can name, with its value, None if it is not written.

    Enumerations and sizes are plain values, as in YAML.
    """
    written = scenario.model_dump(mode="json", by_alias=True, include=set(BRANCHES))
    return dict(_dotted({branch: written[branch] for branch in BRANCHES}, ""))


def nearest_key(key: str, keys: list[str]) -> str | None:
    """Return the key most likely meant: one with the same last word elsewhere, or with a similar spelling."""
    same_ending = [known for known in keys if known.endswith(f".{key.rpartition('.')[2]}")]
    return nearest_of(key, same_ending) or (same_ending[0] if len(same_ending) == 1 else nearest_of(key, keys))


def siblings(key: str, keys: list[str]) -> list[str]:
    """Return the known keys directly below the longest known prefix of a key."""
    prefix = key.rpartition(".")[0]
    while prefix and prefix not in keys:
        prefix = prefix.rpartition(".")[0]
    below = [known.removeprefix(f"{prefix}.") for known in keys if not prefix or known.startswith(f"{prefix}.")]
    return [f"{prefix}.{name}" if prefix else name for name in below if "." not in name]


def value_at(data: Any, key: str) -> object:
    """Return the value at a dotted key of nested mappings and lists, None if the key has no value."""
    for part in key.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _dotted(data: Any, prefix: str) -> Iterator[tuple[str, object]]:
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    for name, value in entries:
        yield f"{prefix}{name}", value
        if isinstance(value, dict | list | tuple):
            yield from _dotted(value, f"{prefix}{name}.")


def _child(kind: Any, part: str | int) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.annotation for name, field in kind.model_fields.items() if (field.alias or name) == part]
    if get_origin(kind) is tuple and isinstance(part, int):
        return [get_args(kind)[0]]
    return []


def _unfolded(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _unfolded(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return tuple(alternative for part in get_args(annotation) for alternative in _unfolded(part))
    return (annotation,)


def _roles(model: type[BaseModel]) -> tuple[str, ...]:
    field = model.model_fields.get("role")
    return tuple(str(role) for role in get_args(field.annotation)) if field is not None else ()
