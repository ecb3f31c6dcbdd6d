"""The time that a boot may take: the guest's own time counts, and a guest that shows activity is not given up."""

from __future__ import annotations

from dataclasses import dataclass

from harness.guest.boot.watch import BootWatch


@dataclass(frozen=True)
class Allowance:
    """``own_s`` seconds of the guest's own time, and ``far_s`` by the wall clock.

    A guest whose disks or console showed activity within the last ``quiet_s`` of its own time has time left until the
    wall clock reaches ``far_s``.
    """

    own_s: float
    far_s: float
    quiet_s: float

    def is_used_up(self, watch: BootWatch) -> bool:
        """Tell whether a guest has had all the time that it may take."""
        return watch.look.at_s >= self.far_s or (watch.own_s >= self.own_s and watch.quiet_s >= self.quiet_s)

    def told(self, watch: BootWatch) -> str:
        """Return the time that was not enough, for a message."""
        by_the_clock = f"{watch.look.at_s:.0f} s by the clock"
        if watch.own_s < self.own_s:
            return f"within {by_the_clock}, {watch.own_s:.0f} s of them its own"
        if watch.look.at_s > 1.1 * self.own_s:
            return f"within {self.own_s:.0f} s of its own time ({by_the_clock})"
        return f"within {self.own_s:.0f} s"
