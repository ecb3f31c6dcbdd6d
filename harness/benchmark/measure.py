"""One figure of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure with its limit; ``details`` says what it was made from."""

    name: str
    value: float
    unit: str
    limit: float
    at_most: bool
    details: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit
