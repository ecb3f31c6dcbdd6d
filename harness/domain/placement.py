"""Where the parts of one case live on the host: the values that turn a disk mapping into domain XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class DiskSource:
    """A disk's file and its format."""

    path: Path
    format: Literal["raw", "qcow2"]


@dataclass(frozen=True)
class UefiFirmware:
    """An OVMF build: its code, the variable store a new instance starts from, and this instance's own store."""

    code_path: Path
    variables_template_path: Path
    variables_path: Path


@dataclass(frozen=True)
class Placement:
    """One instance on one hypervisor.

    ``sources`` maps disk names to files; ``domain_type`` is ``qemu`` (TCG) or ``kvm``; ``rescue_variables_path`` is the
    copy of the UEFI variables that a rescued guest may write to.
    """

    domain_name: str
    uuid: str
    mac: str
    domain_type: Literal["qemu", "kvm"]
    emulator: str
    sources: Mapping[str, DiskSource]
    uefi: UefiFirmware | None = None
    rescue_variables_path: Path | None = None
