"""The recipes: the packages, modules, identifiers and boot configurations that the images are made from."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import harness

# Sources that shape the images as much as the recipes do.
_BUILDER_MODULES = ("build.py", "cpio.py", "initramfs.py", "loaders.py", "media.py", "packages.py")
OTHER_RECIPES = ("debian",)
"""Folders of recipes that are built by themselves."""


def recipe_folder() -> Path:
    """Return the folder of recipes: inside an installed package, or ``images`` beside the package in a source tree."""
    package = Path(harness.__file__).parent
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "images"


@dataclass(frozen=True)
class Medium:
    """Identity of one medium's file system; ``uuid`` is as blkid prints it."""

    name: str
    label: str
    uuid: str


@dataclass(frozen=True)
class Recipe:
    """The settings that are chosen rather than computed, read from ``folder``.

    ``loaders`` maps each file of a boot loader to the package that has it.
    """

    folder: Path
    kernel_package: str
    guest_packages: tuple[str, ...]
    library_packages: tuple[str, ...]
    loaders: Mapping[str, str]
    programs: tuple[str, ...]
    modules: tuple[str, ...]
    kernel_arguments: str
    instance: Medium
    instance_partition_mib: int
    instance_disk_signature: int
    instance_iso: Medium
    rescue: Medium
    floppy: Medium

    @property
    def loader_packages(self) -> tuple[str, ...]:
        """The packages that the boot loaders are taken from."""
        return tuple(dict.fromkeys(self.loaders.values()))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read recipe.toml, modules.list and boot/cmdline."""
        chosen = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        lines = (folder / "modules.list").read_text(encoding="utf-8").splitlines()

        def medium(name: str) -> Medium:
            return Medium(name, chosen[name]["label"], chosen[name]["uuid"])

        return cls(
            folder=folder,
            kernel_package=chosen["packages"]["kernel"],
            guest_packages=tuple(chosen["packages"]["guest"]),
            library_packages=tuple(chosen["packages"]["libraries"]),
            loaders={name: package for package, names in chosen["loaders"].items() for name in names},
            programs=tuple(chosen["guest"]["programs"]),
            modules=tuple(line.strip() for line in lines if line.strip() and not line.startswith("#")),
            kernel_arguments=(folder / "boot" / "cmdline").read_text(encoding="utf-8").strip(),
            instance=medium("instance"),
            instance_partition_mib=chosen["instance"]["partition_mib"],
            instance_disk_signature=chosen["instance"]["disk_signature"],
            instance_iso=medium("instance_iso"),
            rescue=medium("rescue"),
            floppy=medium("floppy"),
        )

    def boot_configuration(self, name: str, medium: Medium) -> bytes:
        """Return the file ``boot/name`` with the kernel command line of ``medium`` filled in.

        Instance and rescue differ only by ``harness.medium`` and by the UUID in ``root=``.
        """
        return self.configured(name, self.command_line(medium))

    def configured(self, name: str, command_line: str) -> bytes:
        """Return the file ``boot/name`` with a kernel command line filled in."""
        text = (self.folder / "boot" / name).read_text(encoding="utf-8")
        return text.replace("@CMDLINE@", command_line).encode()

    def command_line(self, medium: Medium) -> str:
        """Return the kernel command line of a medium."""
        role = "instance" if medium in (self.instance, self.instance_iso) else "rescue"
        return f"{self.kernel_arguments} harness.medium={role} root=UUID={medium.uuid}"


def recipe_hash(folder: Path, builder_modules: tuple[str, ...] = _BUILDER_MODULES) -> str:
    """Return the SHA-256 of the names and contents of all files in ``folder`` and of the builder's own sources."""
    digest = hashlib.sha256()
    recipe_files = [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
        and path.relative_to(folder).parts[0] not in OTHER_RECIPES
    ]
    files = {str(path.relative_to(folder)): path for path in recipe_files}
    files |= {f"builder:{name}": Path(__file__).with_name(name) for name in builder_modules}
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def set_key(recipe: str, inputs: dict[str, str]) -> str:
    """Return the name under which a set made from ``recipe`` (a hash) and ``inputs`` (package to version) is cached."""
    digest = hashlib.sha256(recipe.encode())
    for package, version in sorted(inputs.items()):
        digest.update(f"\0{package}={version}".encode())
    return digest.hexdigest()[:32]
