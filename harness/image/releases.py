"""Releases of distributions as hosts, from the one table that bin/install-packages goes by as well."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

TABLE_PATH = Path(__file__).with_name("releases.txt")


@dataclass(frozen=True)
class Release:
    """One row: what a release is called, whether the harness was tried on it, and what it has and takes."""

    codename: str
    name: str
    is_tried: bool
    qemu: str
    libvirt: str
    kernel: str
    grub: str
    packages_besides: tuple[str, ...]

    @classmethod
    def of_row(cls, row: str) -> Self:
        """Return the release of a line of the table."""
        codename, name, tried, qemu, libvirt, kernel, grub, besides = (cell.strip() for cell in row.split("|"))
        return cls(codename, name, tried == "yes", qemu, libvirt, kernel, grub, tuple(besides.split()))


def known_releases(path: Path = TABLE_PATH) -> tuple[Release, ...]:
    """Return all rows of the table."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(Release.of_row(line) for line in lines if line and not line.startswith("#"))


def tried_releases() -> tuple[Release, ...]:
    """Return the releases that the harness is known to work on."""
    return tuple(release for release in known_releases() if release.is_tried)
