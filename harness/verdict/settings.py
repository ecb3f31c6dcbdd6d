"""Settings that differ, of a device that is the same in two states."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NONE = "none"


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Name, old and new value of everything that is not equal, ``none`` where it is not there; by name."""
    if before == after:
        return
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name) or NONE, after.get(name) or NONE
        if old != new:
            yield name, old, new
