"""The limits of this process's control groups: a container's show neither in /proc/meminfo nor in the affinity.

A container's limits appear neither in /proc/meminfo nor in the affinity. Both versions of control
groups are read: Documentation/admin-guide/cgroup-v2.rst, and cgroup-v1/memory.rst with scheduler/sched-bwc.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_UNLIMITED = ("max", "-1")


@dataclass(frozen=True)
class ControlGroups:
    """The groups of a process, read from /proc/PID/cgroup and the folder in which the groups are mounted."""

    membership: Path = Path("/proc/self/cgroup")
    root: Path = Path("/sys/fs/cgroup")

    @property
    def free_memory_bytes(self) -> int | None:
        """The memory that the tightest limit leaves; None without a limit. Droppable page cache counts as free."""
        rooms = [
            limit - (_number(group / used) or 0) + _statistic(group, dropped)
            for group, is_unified in self._groups("memory")
            for maximum, used, dropped in [
                ("memory.max", "memory.current", "inactive_file")
                if is_unified
                else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            ]
            if (limit := _number(group / maximum)) is not None
        ]
        return max(0, min(rooms)) if rooms else None

    @property
    def cores(self) -> float | None:
        """The number of cores whose time the tightest limit gives; None without one."""
        shares = []
        for group, is_unified in self._groups("cpu"):
            if is_unified:
                quota, period = (*_words(group / "cpu.max"), None, None)[:2]
            else:
                quota, period = (next(iter(_words(group / f"cpu.cfs_{what}_us")), None) for what in ("quota", "period"))
            if quota is not None and period is not None and quota not in _UNLIMITED:
                shares.append(int(quota) / int(period))
        return min(shares, default=None)

    def _groups(self, controller: str) -> Iterator[tuple[Path, bool]]:
        """Yield the folders of the process's groups and of the groups around them, each with True for version 2."""
        for line in self.membership.read_text().splitlines() if self.membership.is_file() else ():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            mounted = self.root / controller if controllers else self.root
            group = mounted / path.lstrip("/")
            for each in (group, *group.parents):
                if each.is_relative_to(mounted):
                    yield each, not controllers


OWN_GROUPS = ControlGroups()


def _words(path: Path) -> list[str]:
    """Return a file's words; an empty list if the file does not exist, as in a group that is not visible from here."""
    try:
        return path.read_text().split()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    word = next(iter(_words(path)), "max")
    return None if word in _UNLIMITED else int(word)


def _statistic(group: Path, name: str) -> int:
    words = _words(group / "memory.stat")
    return int(words[words.index(name) + 1]) if name in words else 0
