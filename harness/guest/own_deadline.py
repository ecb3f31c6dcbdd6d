"""A deadline by the guest's own time, for what a guest that has booted is asked to do."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.guest.boot.look import Look, own_time_s


class OwnDeadline:
    """Ends once the guest has had ``timeout_s`` of its own time, and at the latest after ``far_s`` by the clock.

    ``look`` tells the guest's processor times. It is asked at the start, and then only when time seems to be over.
    """

    def __init__(self, timeout_s: float, far_s: float, look: Callable[[], Look]) -> None:
        self.timeout_s = timeout_s
        self._look = look
        self._last = look()
        self._left_s = timeout_s
        self._ends = time.monotonic() + timeout_s
        self._far_ends = time.monotonic() + far_s

    @property
    def remaining_s(self) -> float:
        """Seconds left by the clock, never negative; they may become more while the host is busy."""
        now = time.monotonic()
        if now >= self._ends:
            look = self._look()
            self._left_s = max(0.0, self._left_s - own_time_s(self._last, look))
            self._last = look
            self._ends = min(now + self._left_s, self._far_ends)
        return max(0.0, self._ends - now)

    @property
    def passed(self) -> bool:
        """Whether the guest has had its time, but for a tenth of a second."""
        return self.remaining_s < 0.1
