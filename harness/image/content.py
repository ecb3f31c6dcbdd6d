"""What is in an image, apart from how one gets into what boots from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ImageContent:
    """An image's file, and the size of the disk that is made of it: that of the disk in it, or more."""

    path: Path
    format: Literal["raw", "qcow2"]
    size_bytes: int

    @classmethod
    def of_raw(cls, path: Path) -> Self:
        """The disk that a raw file is."""
        return cls(path, "raw", path.stat().st_size)
