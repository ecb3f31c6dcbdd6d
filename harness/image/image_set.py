"""A set of images as other modules see it: a folder of files, and a manifest with their sizes and hashes."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from harness.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

KERNEL = "vmlinuz"
INITRAMFS = "initramfs.cpio.gz"
INSTANCE = "instance.img"
INSTANCE_ISO = "instance.iso"
RESCUE = "rescue.iso"
FLOPPY = "rescue-floppy.img"
MANIFEST = "manifest.json"
FILES = (KERNEL, INITRAMFS, INSTANCE, INSTANCE_ISO, RESCUE, FLOPPY)

_PORT_PLACEHOLDER = b"@PORT@"


class DamagedSetError(HostError):
    """A file of the set is missing or does not match the manifest."""


@dataclass(frozen=True)
class ImageSet:
    """Paths of one set, never written to after the build; ``inputs`` maps Debian packages to versions."""

    directory: Path
    kernel: Path
    initramfs: Path
    instance: Path
    instance_iso: Path
    rescue: Path
    floppy: Path
    inputs: Mapping[str, str]
    recipe: str

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the set in ``directory`` by its manifest. Raises DamagedSetError if that cannot be read."""
        manifest = read_manifest(directory)
        return cls(
            directory=directory,
            kernel=directory / KERNEL,
            initramfs=directory / INITRAMFS,
            instance=directory / INSTANCE,
            instance_iso=directory / INSTANCE_ISO,
            rescue=directory / RESCUE,
            floppy=directory / FLOPPY,
            inputs=manifest["inputs"],
            recipe=manifest["recipe"],
        )

    def verify(self) -> None:
        """Compare size and SHA-256 of each file with the manifest. Raises DamagedSetError."""
        verify_files(self.directory, FILES)


def verify_files(directory: Path, names: Iterable[str]) -> None:
    """Compare size and SHA-256 of files with the manifest beside them. Raises DamagedSetError."""
    expected = read_manifest(directory)["files"]
    for name in names:
        path = directory / name
        if name not in expected or not path.is_file():
            raise DamagedSetError(f"{path} is missing")
        if path.stat().st_size != expected[name]["bytes"]:
            raise DamagedSetError(f"{path} has {path.stat().st_size} bytes, not {expected[name]['bytes']}")
        if _sha256(path) != expected[name]["sha256"]:
            raise DamagedSetError(f"{path} has changed since it was built")


def write_manifest(directory: Path, recipe: str, inputs: Mapping[str, str]) -> None:
    """Describe all files in ``directory``, made from ``recipe`` (its hash) and ``inputs``."""
    files = {path.name: {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in sorted(directory.iterdir())}
    manifest = {"recipe": recipe, "inputs": dict(inputs), "files": files}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def write_floppy(image_set: ImageSet, target: Path, port: int) -> None:
    """Copy the rescue floppy to ``target``; the copy fetches from TCP port ``port`` of 10.0.2.2, the host.

    Raises HostError if ``port`` is no TCP port or the floppy has no place for a port.
    """
    if not 0 < port < 65536:
        raise HostError(f"{port} is not a TCP port")
    content = image_set.floppy.read_bytes()
    if content.count(_PORT_PLACEHOLDER) != 1:
        raise HostError(f"{image_set.floppy} has no place for a port", hint=f"remove {image_set.directory}")
    digits = str(port).encode().ljust(len(_PORT_PLACEHOLDER))
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    partial.write_bytes(content.replace(_PORT_PLACEHOLDER, digits))
    partial.replace(target)


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of ``write_manifest``. Raises DamagedSetError if it cannot be read or is incomplete."""
    try:
        manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        if not {"recipe", "inputs", "files"} <= manifest.keys():
            raise DamagedSetError(f"{directory / MANIFEST} is incomplete")
    except (OSError, ValueError, AttributeError) as error:
        raise DamagedSetError(f"{directory / MANIFEST} cannot be read: {error}") from error
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
