"""The names of an instance's disks, by which tokens, files and findings know them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.scenario.disks import Disk, EphemeralDisk, Volume
from harness.scenario.models import Instance
from harness.scenario.steps import AttachVolume, Step
from harness.scenario.words import Role

RESCUE = "rescue"
ROOT = "root"
CONFIG_DRIVE = "config_drive"


def disk_names(disks: Sequence[Disk]) -> list[str]:
    """Name disks in attach order."""
    earlier: Counter[Role] = Counter()
    names = []
    for disk in disks:
        names.append(_name(disk, earlier[disk.role]))
        earlier[disk.role] += 1
    return names


def volume_name(volume: Volume, earlier: int) -> str:
    """Name a volume: as the scenario does, or by how many volumes came before it."""
    return volume.name or f"volume{earlier + 1}"


def attached_volumes(instance: Instance, steps: tuple[Step, ...]) -> dict[int, tuple[str, Volume]]:
    """Return name and volume of each attachment by the step's position."""
    earlier = sum(disk.role is Role.VOLUME for disk in instance.disks)
    attached = [(position, step.attach) for position, step in enumerate(steps) if isinstance(step, AttachVolume)]
    return {
        position: (volume_name(volume, number), volume)
        for number, (position, volume) in enumerate(attached, start=earlier)
    }


def _name(disk: Disk, earlier: int) -> str:
    match disk:
        case EphemeralDisk():
            return f"ephemeral{earlier}"
        case Volume():
            return volume_name(disk, earlier)
        case _:
            return str(disk.role)
