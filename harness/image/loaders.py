"""Boot loaders among unpacked packages: releases keep the same file in different folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HostError
from harness.image.releases import tried_releases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Loaders:
    """The boot loaders below ``root``; ``packages`` maps each file that the recipe names to the package that has it."""

    root: Path
    packages: Mapping[str, str]

    def find(self, name: str) -> Path:
        """Return the path of a file: ``name`` is the end of its path.

        Raises HostError if the package has no such file.
        """
        # Links are left out: an absolute one leads out of the unpacked packages, into this host's own files.
        found = [path for path in self.root.rglob(name) if path.is_file() and not path.is_symlink()]
        if not found:
            releases = " and ".join(release.name for release in tried_releases())
            raise HostError(
                f"the package {self.packages[name]} has no file {name}",
                hint=f"{releases} have it in that package; where it has another name, change [loaders] in "
                "images/recipe.toml: see docs/start/hosts.md",
            )
        return min(found)

    def read(self, name: str) -> bytes:
        """Return the content of a file. Raises HostError if the package has no such file."""
        return self.find(name).read_bytes()
