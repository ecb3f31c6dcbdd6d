"""UEFI firmware of this host, by QEMU's firmware descriptors (docs/interop/firmware.json in QEMU's tree)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from harness.errors import HostError

DESCRIPTOR_FOLDERS = (Path("/etc/qemu/firmware"), Path("/usr/share/qemu/firmware"))
_SECURE_BOOT = {"requires-smm", "secure-boot", "enrolled-keys"}
"""The features of a build that checks signatures, with Microsoft's keys in its variables, which SMM guards."""


@dataclass(frozen=True)
class UefiBuild:
    """An OVMF build and the variable store that belongs to it."""

    code_path: Path
    variables_template_path: Path


def find_uefi(machine: str, *, secure_boot: bool = False, folders: tuple[Path, ...] = DESCRIPTOR_FOLDERS) -> UefiBuild:
    """Return the first build for x86_64 and the machine: with SMM, secure boot and enrolled keys, or with none of them.

    Raises:
        HostError: no build fits.
    """
    canonical = {"pc": "pc-i440fx-0", "q35": "pc-q35-0"}.get(machine, machine)
    for path in sorted((path for folder in folders for path in folder.glob("*.json")), key=lambda path: path.name):
        build = _suitable(json.loads(path.read_text()), canonical, _SECURE_BOOT if secure_boot else set())
        if build is not None:
            return build
    raise HostError(
        f"no UEFI firmware {'with' if secure_boot else 'without'} secure boot for {machine}"
        " among QEMU's firmware descriptors",
        hint="install the package ovmf",
    )


def _suitable(descriptor: dict[str, Any], machine: str, wanted: set[str]) -> UefiBuild | None:
    mapping = descriptor.get("mapping", {})
    fits = (
        "uefi" in descriptor.get("interface-types", ())
        and mapping.get("device") == "flash"
        and "nvram-template" in mapping
        and wanted == _SECURE_BOOT & set(descriptor.get("features", ()))
        and any(
            target["architecture"] == "x86_64" and any(fnmatch(machine, pattern) for pattern in target["machines"])
            for target in descriptor.get("targets", ())
        )
    )
    if not fits:
        return None
    build = UefiBuild(Path(mapping["executable"]["filename"]), Path(mapping["nvram-template"]["filename"]))
    return build if build.code_path.is_file() and build.variables_template_path.is_file() else None
