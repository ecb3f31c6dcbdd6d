"""One figure of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure with its limit; ``details`` lists the measurements behind the figure."""

    name: str
    value: float
    unit: str
    limit: float
    at_most: bool
    details: str

    @property
    def holds(self) -> bool:
        """True if the figure is within its limit."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit
