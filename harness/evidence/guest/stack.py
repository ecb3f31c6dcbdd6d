"""Resolve what lies over disks: file systems, logical volumes, encryption, multipath, overlays, loop devices.

Sources: proc_pid_mountinfo(5); /sys/block/*/slaves of device mapper and md; Documentation/filesystems/overlayfs.rst.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.evidence.guest.capture import Capture

_MOUNTINFO = "/proc/self/mountinfo"
_BOOT_MOUNT_POINTS = ("/boot/efi", "/efi", "/boot")
_SLAVES = re.compile(r"/sys/block/([^/]+)/slaves/([^/]+)")
_DEEPEST = 16
"""Layers above a disk that are followed; a stack that mentions itself ends here."""


class Mount(NamedTuple):
    """A mounted file system: where, of which kind, and on what, by number and by name."""

    point: str
    kind: str
    number: str
    source: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Stack:
    """All that a guest has mounted, and the disks below.

    ``disk_of`` gives the disk of each kernel name, of a disk or a partition.
    """

    capture: Capture
    disk_of: Mapping[str, str]

    @cached_property
    def mounted_at(self) -> dict[str, tuple[str, ...]]:
        """The mount points of each disk, whatever lies between."""
        points: dict[str, list[str]] = {}
        for mount in self._mounts:
            for disk in self._below_mount(mount, 0):
                points.setdefault(disk, []).append(mount.point)
        return {disk: tuple(dict.fromkeys(found)) for disk, found in points.items()}

    @cached_property
    def held_by(self) -> dict[str, tuple[str, ...]]:
        """The virtual devices that use each disk or a partition of it: device mapper and md."""
        holders: dict[str, list[str]] = {}
        for name in sorted(self._slaves):
            for disk in self._below_node(name, 0):
                holders.setdefault(disk, []).append(name)
        return {disk: tuple(found) for disk, found in holders.items()}

    def disk_mounted_at(self, point: str) -> str | None:
        """Return the disk at a mount point; of several, the one that boot files are on, else the first."""
        disks = self._disks_at(point)
        for boot in _BOOT_MOUNT_POINTS if len(disks) > 1 else ():
            for disk in self._disks_at(boot):
                if disk in disks:
                    return disk
        return next(iter(disks), None)

    def _disks_at(self, point: str) -> list[str]:
        # The last mount at a point hides the earlier ones.
        mount = next((each for each in reversed(self._mounts) if each.point == point), None)
        return [] if mount is None else list(dict.fromkeys(self._below_mount(mount, 0)))

    def _below_mount(self, mount: Mount, depth: int) -> Iterator[str]:
        if depth > _DEEPEST:
            return
        if mount.kind == "overlay":
            layers = (*reversed(mount.options.get("lowerdir", "").split(":")), mount.options.get("upperdir", ""))
            for layer in filter(None, layers):
                yield from self._below_path(layer, mount, depth + 1)
            return
        yield from self._below_node(self.capture.block_numbers.get(mount.number) or self._node(mount.source), depth + 1)

    def _below_path(self, path: str, of: Mount | None, depth: int) -> Iterator[str]:
        """Yield the disks below the file system that has ``path``, other than the mount ``of``."""
        holding = [each for each in self._mounts if each is not of and _is_within(path, each.point)]
        if holding:
            yield from self._below_mount(max(holding, key=lambda mount: len(mount.point)), depth)

    def _below_node(self, name: str | None, depth: int) -> Iterator[str]:
        if name is None or depth > _DEEPEST:
            return
        if name in self.disk_of:
            yield self.disk_of[name]
        elif name in self._slaves:
            for slave in self._slaves[name]:
                yield from self._below_node(slave, depth + 1)
        elif backing := self.capture.text(f"/sys/block/{name}/loop/backing_file"):
            yield from self._below_path(backing, None, depth + 1)

    def _node(self, source: str) -> str | None:
        """Return the kernel name of a source such as /dev/vda1 or /dev/mapper/vg-root."""
        if not source.startswith("/dev/"):
            return None
        name = source.removeprefix("/dev/")
        return self._mapper_names.get(name.removeprefix("mapper/")) if name.startswith("mapper/") else name

    @cached_property
    def _mapper_names(self) -> dict[str, str]:
        return {
            lines[0].strip(): path.split("/")[3]
            for path, lines in self.capture.lines.items()
            if path.startswith("/sys/block/dm-") and path.endswith("/dm/name") and lines
        }

    @cached_property
    def _slaves(self) -> dict[str, list[str]]:
        slaves: dict[str, list[str]] = {}
        for path in self.capture.links:
            if match := _SLAVES.fullmatch(path):
                slaves.setdefault(match[1], []).append(match[2])
        return slaves

    @cached_property
    def _mounts(self) -> Sequence[Mount]:
        lines = self.capture.lines.get(_MOUNTINFO)
        if lines is None:
            return [_of_mounts(line) for line in self.capture.lines.get("/proc/mounts", ())]
        return [_of_mountinfo(line) for line in lines]


def decoded(field: str) -> str:
    """Decode a field of /proc/mounts or /proc/swaps, where blanks and backslashes stand as octal numbers (proc(5))."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _of_mounts(line: str) -> Mount:
    source, point, kind, options, *_ = (*line.split(" "), "", "", "")
    return Mount(decoded(point), kind, "", decoded(source), _options(options))


def _of_mountinfo(line: str) -> Mount:
    left, _, right = line.partition(" - ")
    number, _, point = (*left.split(" ")[2:5], "", "", "")[:3]
    kind, source, options = (*right.split(" "), "", "", "")[:3]
    return Mount(decoded(point), kind, number, decoded(source), _options(options))


def _options(text: str) -> dict[str, str]:
    return {name: decoded(value) for name, _, value in (option.partition("=") for option in text.split(","))}


def _is_within(path: str, folder: str) -> bool:
    return folder in ("/", path) or path.startswith(f"{folder}/")
