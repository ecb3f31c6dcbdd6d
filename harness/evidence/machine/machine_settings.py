"""Read the settings of QEMU's devices: every property that ``info qtree`` prints, and the limits and caches of media.

The tree is asked for anyway, so this costs no further question. Each property goes to the device that libvirt named or
that has a place on PCI or USB. The parts that QEMU builds around and inside such a device count as its settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from harness.evidence.machine.machine_tree import Device, DeviceTree

_TOLD_OTHERWISE = frozenset(
    {
        *("addr", "bootindex", "port", "channel", "scsi-id", "lun", "unit"),
        *("mac", "serial", "wwn", "vendor", "product", "model", "logical_block_size"),
    }
)
_NAMES_OF_QEMU = frozenset({"drive", "device_id", "netdev", "chardev", "audiodev", "rng"})
"""QEMU's or libvirt's names of the other end: ``libvirt-3-format`` counts the disks."""
_GEOMETRY = frozenset({"cyls", "heads", "secs"})
"""Guessed from the size if nobody sets it (hw/block/hd-geometry.c)."""
_LEFT_OUT = _TOLD_OTHERWISE | _NAMES_OF_QEMU | _GEOMETRY
_NOT_OF_A_MEDIUM = frozenset({"file", "node-name", "children", "ro", "image", "cache"})
_COMES_WITH_FLOPPIES = "isa-fdc"


class MachineSettings:
    """The settings of a machine's devices."""

    def __init__(self, tree: DeviceTree) -> None:
        self._tree = tree

    def of(self, device: Device) -> dict[str, str]:
        """Return a device's settings, value by name; names of a device inside it begin with that device's type."""
        owner = self.owner(device)
        return {} if owner is None else self._by_owner.get(owner.index, {})

    @property
    def of_the_board(self) -> dict[str, str]:
        """Return the settings that belong to no device of ours, by type."""
        return self._by_owner.get(None, {})

    @cached_property
    def _by_owner(self) -> Mapping[int | None, dict[str, str]]:
        found: dict[int | None, dict[str, str]] = {}
        seen: dict[int | None, Counter[str]] = {}
        for device in self._tree.devices:
            if device.kind == _COMES_WITH_FLOPPIES:
                continue
            owner = self.owner(device)
            index = None if owner is None else owner.index
            counted = seen.setdefault(index, Counter())
            counted[device.kind] += 1
            prefix = "" if owner is device else f"{device.kind} {counted[device.kind]} "
            found.setdefault(index, {}).update(
                {f"{prefix}{name}": value for name, value in device.properties.items() if name not in _LEFT_OUT}
            )
        return found

    def owner(self, device: Device) -> Device | None:
        """Return the device that has the settings: itself or the one it is built into; None for the board's parts."""
        for each in self._tree.upwards(device):
            if each.id or each.pci is not None or each.usb is not None:
                return each
        return None


def medium_settings(inserted: Mapping[str, Any]) -> dict[str, str]:
    """Return QEMU's treatment of a medium, from ``query-block``: limits, cache, format, backing file."""
    return dict(_medium_settings(inserted))


def _medium_settings(inserted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in inserted.items():
        if name not in _NOT_OF_A_MEDIUM:
            yield name, str(value)
    for name, value in inserted.get("cache", {}).items():
        yield f"cache {name}", str(value)
    image = inserted["image"]
    for name in ("format", "backing-filename"):
        if name in image:
            yield f"image {name}", str(image[name])
