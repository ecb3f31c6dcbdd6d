"""A problem of a scenario file, and its message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Key = tuple[str | int, ...]

_LONGEST_QUOTE = 60
_WORDS = {"None": "nothing", "True": "true", "False": "false"}


@dataclass(frozen=True)
class Problem:
    """A problem at a key: the thing found, the things allowed, and the nearest valid word if one is near."""

    key: Key
    found: str
    allowed: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        parts = [self.found]
        if self.allowed is not None:
            parts.append(f"allowed: {self.allowed}")
        if self.nearest is not None:
            parts.append(f'did you mean "{self.nearest}"?')
        return f"{dotted(self.key) or 'top level'}: {'; '.join(parts)}"


def dotted(key: Key) -> str:
    """Write a key as in matrix axes: ``instance.disks.2.bus``."""
    return ".".join(_printable(str(part)) for part in key)


def quoted(value: object) -> str:
    """Describe a value as a reader of YAML would, on one short line."""
    match value:
        case str():
            return f'"{_printable(value)}"'
        case int() | float() if not isinstance(value, bool):
            return f"the number {_printable(str(value))}"
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
    return _WORDS.get(str(value), type(value).__name__)


def _printable(text: str) -> str:
    shown = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in shown)


def nearest_of(word: object, words: Iterable[str]) -> str | None:
    """Return the word most likely meant, ignoring case."""
    by_lower_case = {candidate.lower(): candidate for candidate in words}
    near = difflib.get_close_matches(str(word).lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[near[0]] if near else None
