"""Faults of refusing: the rescue is refused, and the instance is no longer as it was.

At level plan there are no files to do harm to, and the faults do nothing.
"""

from __future__ import annotations

from pathlib import Path

from harness.domain.disk_names import ROOT
from harness.errors import Refused
from harness.scenario.words import ClaimName, Level, Role
from harness.study.prove.faults.draft import Draft, NotApplicable
from harness.study.prove.faults.fault import Edit, Fault

_REASON = "no, thank you"


def _file(path: Path) -> Path:
    if not path.is_file():
        raise NotApplicable(f"there is no {path.name} yet")
    return path


def _spoil(path: Path) -> None:
    with _file(path).open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 0xFF]))


def _disk_left_over(draft: Draft) -> None:
    _file(draft.placement.sources[ROOT].path).with_name("disk.rescue").write_bytes(b"")
    raise Refused(_REASON)


def _volume_written(draft: Draft) -> None:
    _spoil(draft.source(Role.VOLUME).path)
    raise Refused(_REASON)


def _variables_written(draft: Draft) -> None:
    uefi = draft.placement.uefi
    if uefi is None:
        raise NotApplicable("no UEFI")
    _spoil(uefi.variables_path)
    raise Refused(_REASON)


def _refusal(name: str, summary: str, harm: Edit, case: str) -> Fault:
    return Fault(name, summary, ClaimName.RESTORED, rescued=harm, level=Level.MACHINE, case=case, refuses=True)


REFUSAL_FAULTS = (
    _refusal(
        "refused-with-a-left-over",
        "the rescue is refused, and a rescue disk is left in the instance's folder",
        _disk_left_over,
        "usb-disk[pc-none]",
    ),
    _refusal(
        "refused-after-writing",
        "the rescue is refused after it has written to a volume",
        _volume_written,
        "usb-disk[pc-none]",
    ),
    _refusal(
        "refused-with-other-variables",
        "the rescue is refused after it has written to the UEFI variables",
        _variables_written,
        "uefi-usb[q35]",
    ),
)
