"""The content of an image, without the way to log into a guest that boots from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ImageContent:
    """An image's file, and the size of a disk made of the image: the size of the disk in the image, or more."""

    path: Path
    format: Literal["raw", "qcow2"]
    size_bytes: int

    @classmethod
    def of_raw(cls, path: Path) -> Self:
        """Return the content of a raw file, for a disk of the file's size."""
        return cls(path, "raw", path.stat().st_size)
