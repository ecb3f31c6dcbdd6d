"""What an implementation under test answers: which domains an instance has in each state, or that it refuses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from harness.domain.placement import Placement
from harness.scenario.models import Instance, RescueImage
from harness.scenario.steps import Step
from harness.scenario.words import Level


@dataclass(frozen=True)
class RunningInstance:
    """An instance as it runs: what ``steps`` have made of it by now, and its domain XML read from the hypervisor."""

    instance: Instance
    placement: Placement
    live_xml: str
    steps: tuple[Step, ...] = ()


class Implementation(Protocol):
    """Turns (instance, rescue image) into domain XML. ``placement.sources`` holds the rescue disk under ``rescue``."""

    @property
    def name(self) -> str:
        """The name under which results are filed."""

    def normal(self, instance: Instance, placement: Placement) -> str:
        """The domain of the running instance."""

    def rescued(self, running: RunningInstance, image: RescueImage) -> str:
        """The domain of the rescued instance.

        Raises:
            Refused: this rescue is not supported; nothing has been touched.
        """

    def unrescued(self, saved_xml: str) -> str:
        """The domain after the rescue, from the persistent XML saved before it."""


@runtime_checkable
class ForeignImplementation(Protocol):
    """An implementation with ways of its own, which it says of itself. It is used as a context manager."""

    def __enter__(self) -> Self:
        """Hold what it takes."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release it."""

    @property
    def levels(self) -> Collection[Level]:
        """The levels that it can be looked at."""

    @property
    def versions(self) -> dict[str, str]:
        """Versions of its own that a result should have, and a condition may speak of."""

    @property
    def has_switched_off(self) -> bool:
        """Whether the running guest was off when this thread's last rescued domain was made, before libvirt had it."""

    def disk_names(self, instance: Instance, placement: Placement) -> Mapping[str, str]:
        """Which disk each source in its domains is, for files that it places itself."""

    def cancel(self) -> None:
        """Have nobody wait for it any longer, from whichever thread: the run is to end."""


def levels_of(implementation: Implementation) -> Collection[Level]:
    """The levels that an implementation can be looked at."""
    return implementation.levels if isinstance(implementation, ForeignImplementation) else tuple(Level)


def versions_of_implementation(implementation: Implementation) -> dict[str, str]:
    """What conditions of expectations may speak of: the implementation's name, and versions of its own."""
    own = implementation.versions if isinstance(implementation, ForeignImplementation) else {}
    return {"implementation": implementation.name, **own}
