"""A point in time handed down to whoever waits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class TimeLimit(Protocol):
    """The end of a wait, by whatever clock; ``timeout_s`` is the time-out behind it, for messages."""

    @property
    def timeout_s(self) -> float:
        """The whole time, in seconds."""

    @property
    def remaining_s(self) -> float:
        """Seconds left, never negative."""

    @property
    def passed(self) -> bool:
        """Whether the wait is over."""


@dataclass(frozen=True)
class Deadline:
    """The point in time at which waiting ends; ``timeout_s`` is the time-out behind it, for messages."""

    ends: float
    timeout_s: float

    @classmethod
    def after(cls, timeout_s: float) -> Deadline:
        """Return the deadline that is ``timeout_s`` seconds from now."""
        return cls(time.monotonic() + timeout_s, timeout_s)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.ends
