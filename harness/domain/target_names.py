"""libvirt's target names, as Nova gives them: the name asked for, else the first free name with the bus's prefix.

The rules follow nova.virt.libvirt.blockinfo (get_dev_prefix_for_disk_bus, find_disk_dev_for_disk_bus,
get_disk_mapping).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count

from harness.scenario.disks import ConfigDrive, Disk
from harness.scenario.words import DiskBus, Role

NAME_PREFIX = {
    DiskBus.VIRTIO: "vd",
    DiskBus.SCSI: "sd",
    DiskBus.SATA: "sd",
    DiskBus.USB: "sd",
    DiskBus.IDE: "hd",
    DiskBus.FDC: "fd",
}
"""SCSI, SATA and USB share one namespace."""
_ORDER = (Role.ROOT, Role.EPHEMERAL, Role.SWAP, Role.VOLUME, Role.CONFIG_DRIVE)


def target_name(prefix: str, index: int) -> str:
    """Return the libvirt target name for a zero-based index: vda, ..., vdz, vdaa."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("a") + digit) + letters
    return prefix + letters


def target_index(target: str) -> int:
    """Return the zero-based index of a target name: 0 for vda, 26 for vdaa."""
    index = 0
    for letter in target[2:]:
        index = index * 26 + ord(letter) - ord("a") + 1
    return index - 1


def first_free_target(bus: DiskBus, taken: Collection[str]) -> str:
    """Return the first target name with the bus's prefix that is not taken."""
    return next(name for name in (target_name(NAME_PREFIX[bus], index) for index in count()) if name not in taken)


def deal_targets(disks: Sequence[Disk], buses: Sequence[DiskBus]) -> list[str]:
    """Return the target name of each disk. ``buses`` has the bus of each disk."""
    asked = [None if isinstance(disk, ConfigDrive) else disk.device_name for disk in disks]
    taken = {name for name in asked if name is not None}
    names: dict[int, str] = {}
    for position in sorted(range(len(disks)), key=lambda position: _ORDER.index(disks[position].role)):
        names[position] = asked[position] or first_free_target(buses[position], taken)
        taken.add(names[position])
    return [names[position] for position in range(len(disks))]
