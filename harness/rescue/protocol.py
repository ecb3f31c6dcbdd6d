"""What an implementation under test answers: which domains an instance has in each state, or that it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.domain.placement import Placement
from harness.scenario.models import Instance, RescueImage
from harness.scenario.steps import Step


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
