"""Compare the settings of a device that is the same in two states."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NONE = "none"
NOT_SET = "not set"


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Return name, old and new value of every setting that differs, by name.

    A missing or empty value is called ``none``. If ``none`` is also a real value, such as a disk's ``driver@cache``, a
    missing one is called ``not set``.
    """
    if before == after:
        return
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name) or None, after.get(name) or None
        if old != new:
            absent = NOT_SET if NONE in (old, new) else NONE
            yield name, old or absent, new or absent
