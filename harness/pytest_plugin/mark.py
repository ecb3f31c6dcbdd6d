"""The mark ``rescue_scenario(path, k=None)``: the words that a user may write in it."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.reading.problem import nearest_of

MARK = "rescue_scenario"
_USE = f"write {MARK}('FILE.yaml') or {MARK}('FILE.yaml', k='EXPRESSION')"
_KEYWORDS = ("k",)


@dataclass(frozen=True)
class NamedScenario:
    """The scenario file that a mark names, and the keyword expression that chooses points of its matrix."""

    path: Path
    keyword: str | None = None


def named_scenario(mark: pytest.Mark) -> NamedScenario:
    """Return the scenario that a mark names.

    Raises:
        ScenarioError: the mark has too few, too many or wrong arguments.
    """
    for word in mark.kwargs:
        if word not in _KEYWORDS:
            nearest = nearest_of(word, _KEYWORDS)
            meant = f"; did you mean '{nearest}'?" if nearest else ""
            raise ScenarioError(f"{MARK} has no keyword '{word}'{meant}", hint=_USE)
    if len(mark.args) != 1:
        count = len(mark.args)
        raise ScenarioError(f"{MARK} needs one path and got {count or 'none'}", hint=_USE)
    path, keyword = mark.args[0], mark.kwargs.get("k")
    if not isinstance(path, str | PathLike):
        raise ScenarioError(f"{MARK} needs a path and got {path!r}", hint=_USE)
    if not isinstance(keyword, str | None):
        raise ScenarioError(f"{MARK} needs an expression as 'k' and got {keyword!r}", hint=_USE)
    return NamedScenario(Path(path), keyword)
