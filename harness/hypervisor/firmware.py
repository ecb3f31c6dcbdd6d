"""UEFI firmware of this host, by QEMU's firmware descriptors (docs/interop/firmware.json in QEMU's tree)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from harness.errors import HostError

DESCRIPTOR_FOLDERS = (Path("/etc/qemu/firmware"), Path("/usr/share/qemu/firmware"))
_NEEDS_MORE_THAN_WE_GIVE = {"requires-smm", "secure-boot", "enrolled-keys"}


@dataclass(frozen=True)
class UefiBuild:
    """An OVMF build and the variable store that belongs to it."""

    code_path: Path
    variables_template_path: Path


def find_uefi(machine: str, folders: tuple[Path, ...] = DESCRIPTOR_FOLDERS) -> UefiBuild:
    """The first build for x86_64 and this machine that needs neither SMM nor enrolled keys.

    Raises:
        HostError: there is none.
    """
    canonical = {"pc": "pc-i440fx-0", "q35": "pc-q35-0"}.get(machine, machine)
    for path in sorted((path for folder in folders for path in folder.glob("*.json")), key=lambda path: path.name):
        build = _suitable(json.loads(path.read_text()), canonical)
        if build is not None:
            return build
    raise HostError(
        f"no UEFI firmware without secure boot for {machine} among QEMU's firmware descriptors",
        hint="install the package ovmf",
    )


def _suitable(descriptor: dict[str, Any], machine: str) -> UefiBuild | None:
    mapping = descriptor.get("mapping", {})
    fits = (
        "uefi" in descriptor.get("interface-types", ())
        and mapping.get("device") == "flash"
        and "nvram-template" in mapping
        and not _NEEDS_MORE_THAN_WE_GIVE & set(descriptor.get("features", ()))
        and any(
            target["architecture"] == "x86_64" and any(fnmatch(machine, pattern) for pattern in target["machines"])
            for target in descriptor.get("targets", ())
        )
    )
    if not fits:
        return None
    build = UefiBuild(Path(mapping["executable"]["filename"]), Path(mapping["nvram-template"]["filename"]))
    return build if build.code_path.is_file() and build.variables_template_path.is_file() else None
