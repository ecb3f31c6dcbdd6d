"""Faults after which a state boots nothing at all."""

from __future__ import annotations

from harness.domain.disk_names import RESCUE
from harness.domain.placement import DiskSource
from harness.image.command import run
from harness.scenario.words import ClaimName, Level, Role
from harness.study.prove.faults.draft import Draft, child
from harness.study.prove.faults.fault import Fault

_BOOT_CODE = "64k"


def _other_format(draft: Draft) -> None:
    child(draft.rescue, "driver").set("type", "vdi")


def _rescue_disk_without_boot_code(draft: Draft) -> None:
    _clear_boot_code(draft.placement.sources[RESCUE])


def _root_without_boot_code(draft: Draft) -> None:
    _clear_boot_code(draft.source(Role.ROOT))


def _clear_boot_code(source: DiskSource) -> None:
    """Write zeros over the first sectors of a disk; at level plan there is no file, and nothing is done."""
    if source.path.is_file():
        run("qemu-io", "-f", source.format, "-c", f"write -z 0 {_BOOT_CODE}", source.path)


_SMALL = "scsi-disk-new-controller[pc]"

DEAD_BOOT_FAULTS = (
    Fault(
        "rescue-does-not-start",
        "the rescue disk is given to QEMU in another format than its file has, and QEMU does not start",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_other_format,
        level=Level.MACHINE,
        case=_SMALL,
    ),
    Fault(
        "rescue-boots-nothing",
        "the rescue disk has no boot code",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_rescue_disk_without_boot_code,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "unrescued-boots-nothing",
        "the unrescue gives the root disk back without its boot code",
        ClaimName.RESTORED,
        unrescued=_root_without_boot_code,
        level=Level.GUEST,
        case=_SMALL,
    ),
)
