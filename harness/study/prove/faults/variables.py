"""Faults of UEFI variables: the firmware's store is another one, or holds other variables."""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path

from harness.domain.placement import UefiFirmware
from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults.draft import Draft, NotApplicable
from harness.study.prove.faults.fault import Fault
from harness.study.prove.faults.files import UEFI_CASE, replace

_PLATFORM_KEY = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le + "PK\0".encode("utf-16-le")
_STATE_BEFORE_GUID = 42
_DELETED = 0xFD


def _uefi(draft: Draft) -> UefiFirmware:
    if draft.placement.uefi is None:
        raise NotApplicable("no UEFI variables")
    return draft.placement.uefi


def _own_variables(draft: Draft) -> None:
    draft.one("os/nvram").text = str(_uefi(draft).variables_path)


def _new_variables(draft: Draft) -> None:
    uefi = _uefi(draft)
    replace(uefi.variables_path, lambda new: shutil.copyfile(uefi.variables_template_path, new))


def _secure_variables(draft: Draft) -> tuple[Path, Path]:
    """Return the variable store of an instance with secure boot, and the path where a fault keeps its old contents."""
    draft.one("os/loader[@secure='yes']")
    path = _uefi(draft).variables_path
    return path, path.with_name(f"{path.name}.kept")


def _platform_key_lost(draft: Draft) -> None:
    path, kept = _secure_variables(draft)
    if path.is_file():
        shutil.copyfile(path, kept)
        replace(path, lambda new: new.write_bytes(_without_platform_key(kept.read_bytes())))


def _platform_key_found(draft: Draft) -> None:
    path, kept = _secure_variables(draft)
    if kept.is_file():
        kept.replace(path)


def _without_platform_key(store: bytes) -> bytes:
    """Return a variable store with the variable PK marked as deleted (edk2, Guid/VariableFormat.h)."""
    edited = bytearray(store)
    for found in re.finditer(re.escape(_PLATFORM_KEY), store):
        edited[found.start() - _STATE_BEFORE_GUID] &= _DELETED
    return bytes(edited)


def _variables_deleted(draft: Draft) -> None:
    """Delete the instance's UEFI variables; libvirt then makes new ones from the template."""
    _uefi(draft).variables_path.unlink(missing_ok=True)


VARIABLE_FAULTS = (
    Fault(
        "firmware-writes-to-the-instance",
        "the rescued guest has the instance's own UEFI variables instead of a copy",
        ClaimName.RESTORED,
        rescued=_own_variables,
        level=Level.GUEST,
        case=UEFI_CASE,
    ),
    Fault(
        "new-firmware-variables",
        "the unrescue gives the instance the UEFI variables of a new one",
        ClaimName.RESTORED,
        unrescued=_new_variables,
        level=Level.GUEST,
        case=UEFI_CASE,
    ),
    Fault(
        "variables-reset-by-the-rescue",
        "the rescue gives the instance the UEFI variables of a new one",
        ClaimName.RESTORED,
        rescued=_new_variables,
        level=Level.GUEST,
        case=UEFI_CASE,
    ),
    Fault(
        "firmware-variables-deleted",
        "the unrescue deletes the instance's UEFI variables",
        ClaimName.RESTORED,
        unrescued=_variables_deleted,
        level=Level.MACHINE,
        case=UEFI_CASE,
    ),
    Fault(
        "platform-key-lost",
        "the rescued guest lacks the platform key among the UEFI variables, without which secure boot is off",
        ClaimName.OTHER_HARDWARE,
        rescued=_platform_key_lost,
        unrescued=_platform_key_found,
        level=Level.GUEST,
        case="secure-boot",
    ),
)
