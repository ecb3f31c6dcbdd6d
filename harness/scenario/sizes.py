"""Sizes as scenario files have them: a number of bytes, or a number with a unit."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from harness.scenario.words import KIB, MIB

_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?")
_UNITS = {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": 1024 * MIB}


def _bytes_of(value: object) -> object:
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            msg = "a size is a number of bytes or a number with KiB, MiB or GiB, such as '16 MiB'"
            raise ValueError(msg)
        return int(match[1]) * _UNITS[match[2] or "B"]
    return value


# 16 TiB is what ext4 holds of files with blocks of 4 KiB, and so what a sparse file of a disk may be.
Size = Annotated[
    int,
    BeforeValidator(_bytes_of),
    Field(gt=0, le=16 * 1024 * _UNITS["GiB"], multiple_of=4096),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 4096},
                {"type": "string", "pattern": r"^\d+ ?(B|KiB|MiB|GiB)$", "examples": ["16 MiB"]},
            ]
        }
    ),
]
