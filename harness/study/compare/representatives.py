"""The cases that stand for the shipped suite at level guest, where all of it would take hours.

Linux gives the disks of these cases the same names at every boot, so that every run has the same outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reading.cases import Case
from harness.scenario.words import Level


@dataclass(frozen=True)
class Representative:
    """A case of the shipped suite, and the behaviour that it shows in a booted guest."""

    case: str
    shows: str


REPRESENTATIVES = (
    Representative("virtio-disk[pc]", "every kind of disk, and the bus that Nova rescues on by default"),
    Representative("nova-volume-backed", "a root that is a volume, and a rescue that leaves everything where it was"),
    Representative("no-property[pc]", "a legacy rescue: the missing disks, and the new name of the root"),
    Representative("nova-slots[pc-scsi]", "a new controller that pushes every disk on by one slot"),
    Representative("nova-gap[pc-none]", "a name and a slot that a detached volume left free"),
    Representative("nova-kernel[q35]", "an instance's own kernel, and a USB stick that takes the tablet's port"),
    Representative("nova-default-cdrom-bus[q35-none]", "a refusal after which the guest is off"),
    Representative("nova-uefi-scsi-controller", "a disk that OVMF cannot read, and its boot entries"),
)


def representatives_of(suite: Sequence[Case]) -> list[Case]:
    """Return the representatives in the suite, at level guest even if their scenario ends at a shallower one."""
    ids = {each.case for each in REPRESENTATIVES}
    return [case.model_copy(update={"level": Level.GUEST}) for case in suite if case.id in ids]
