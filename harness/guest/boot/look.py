"""The facts that one look at a booting guest shows, and the time that passed for the guest between two looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.guest.boot.cpu import CpuPlace


@dataclass(frozen=True)
class VcpuTime:
    """The processor time of one virtual CPU: got so far, and wanted but not got; None where libvirt does not say."""

    got_s: float
    waited_s: float | None = None


@dataclass(frozen=True)
class Look:
    """One look at a guest.

    ``at_s`` is the time since the domain's start. ``disks`` has the bytes read from and written to each disk so far, by
    libvirt's target name. ``console`` is all that the guest printed, without control sequences.
    """

    at_s: float
    console: str = ""
    disks: Mapping[str, int] = field(default_factory=dict)
    vcpus: tuple[VcpuTime, ...] = ()
    cpu: CpuPlace | None = None

    @property
    def halted(self) -> bool:
        """True if the first CPU waits for an interrupt."""
        return self.cpu is not None and self.cpu.halted


START = Look(0.0)
"""The moment of the domain's start."""


def own_time_s(before: Look, now: Look) -> float:
    """Return the time that passed for the guest between two looks.

    A guest's clock stands still while a virtual CPU waits for a processor of the host. Where libvirt does not tell such
    waiting, a guest that is not halted has the processor time that its busiest virtual CPU got.
    """
    passed = max(0.0, now.at_s - before.at_s)
    past = before.vcpus or (VcpuTime(0.0, 0.0),) * len(now.vcpus)
    pairs = list(zip(past, now.vcpus, strict=False))
    waits = [_waited_s(first, after) for first, after in pairs]
    known = [waited_s for waited_s in waits if waited_s is not None]
    if known and len(known) == len(pairs):
        return max(0.0, passed - max(known))
    if not pairs or (before.halted and now.halted):
        return passed
    return min(passed, max(after.got_s - first.got_s for first, after in pairs))


def _waited_s(first: VcpuTime, after: VcpuTime) -> float | None:
    if first.waited_s is None or after.waited_s is None:
        return None
    return after.waited_s - first.waited_s
