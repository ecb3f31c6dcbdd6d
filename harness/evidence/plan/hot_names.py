"""Predict kernel names of disks that came or went while a guest ran: each new one takes the first name that is free.

virtio-blk and sd alike take the lowest free index (drivers/block/virtio_blk.c, vd_index_ida; drivers/scsi/sd.c,
sd_index_ida), whatever the disk's address; at the next boot the order of addresses decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from harness.domain.target_names import target_name
from harness.evidence.inventory import Inventory, KernelNames


def with_attached(names: Mapping[str, KernelNames], disk: str, *, on_virtio: bool) -> dict[str, KernelNames]:
    """Return the names by disk after a disk has been attached to the guest that has these names."""
    prefix = "vd" if on_virtio else "sd"
    alike = [held.possible for held in names.values() if held.possible[0].startswith(prefix)]
    if all(len(possible) == 1 for possible in alike):
        taken = {name for possible in alike for name in possible}
        first = next(name for name in (target_name(prefix, index) for index in count()) if name not in taken)
        return {**names, disk: KernelNames.certain(first)}
    most = max(len(alike) + 1, *map(len, alike))
    return {**names, disk: KernelNames.by_chance(target_name(prefix, index) for index in range(most))}


def with_detached(names: Mapping[str, KernelNames], disk: str) -> dict[str, KernelNames]:
    """Return the names by disk after a disk has been detached: the others keep theirs."""
    return {other: held for other, held in names.items() if other != disk}


def with_names(inventory: Inventory, names: Mapping[str, KernelNames]) -> Inventory:
    """Return the inventory with these names predicted for the disks that have one here."""
    return inventory.model_copy(
        update={
            "block_devices": tuple(
                device
                if device.marker is None or device.marker.disk not in names
                else device.model_copy(update={"predicted": names[device.marker.disk]})
                for device in inventory.block_devices
            )
        }
    )
