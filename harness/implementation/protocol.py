"""The answers of an implementation under test: the domains of an instance in each state, or a refusal.

``Implementation`` is the one class that implementations extend. Its defaults are those of an implementation that only
makes domain XML; an implementation with ways of its own says so by its capabilities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from harness.domain.placement import DiskSource, Placement
from harness.errors import GuestAfter, HostError
from harness.hypervisor.host import Hypervisor
from harness.hypervisor.host_needs import lacking
from harness.image.content import ImageContent
from harness.implementation.asking import require_steps_on_own_disks
from harness.scenario.models import Instance, Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import Step
from harness.scenario.words import Level


@dataclass(frozen=True)
class RunningInstance:
    """A running instance after its ``steps`` so far, with its domain XML read from libvirt."""

    instance: Instance
    placement: Placement
    live_xml: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class RescuedDomain:
    """A rescued domain, and the state of the running guest after the domain was made."""

    xml: str
    guest: GuestAfter = GuestAfter.RUNNING


@dataclass(frozen=True)
class Rescue:
    """A rescue that was carried out: the instance, the rescued domain, and the definition saved before the rescue."""

    running: RunningInstance
    rescued_xml: str
    saved_xml: str


PausesWhileOff = Generator[None, None, None]
"""An operation on a guest. The operation pauses whenever no guest runs and one is about to be started."""


class SelfPerformedGuests(Protocol):
    """The guests of an implementation that performs by itself, on a hypervisor that it shares with the harness."""

    @property
    def hypervisor(self) -> Hypervisor:
        """The hypervisor of the guests."""

    def placed(self, placement: Placement) -> Placement:
        """Return the placement with the names and places that the implementation chooses itself."""

    def disk_names(self, placement: Placement) -> Mapping[str, str]:
        """Return the name of the disk behind each source in the domains."""

    def variables(self, placement: Placement) -> frozenset[str]:
        """Return the paths of the instance's UEFI variables, as the domains name them."""

    def own_disks(self, placement: Placement) -> Mapping[str, DiskSource]:
        """Return the disks that the implementation has made by now, by source in the domains."""

    def console_path(self, placement: Placement) -> Path:
        """Return the path of the serial log."""

    def spawn(
        self, instance: Instance, placement: Placement, image: ImageContent, *, authorized_keys: str
    ) -> PausesWhileOff:
        """Make an instance and start its guest; raises Refused."""

    def rescue(
        self,
        instance: Instance,
        placement: Placement,
        image: RescueImage,
        content: ImageContent,
        *,
        shutdown_s: float,
    ) -> PausesWhileOff:
        """Rescue an instance; the running guest has ``shutdown_s`` to shut down.

        Raises:
            Refused: the implementation does not rescue the instance; the refusal says if the guest is off.
        """

    def unrescue(self, instance: Instance, placement: Placement) -> PausesWhileOff:
        """Unrescue an instance; raises Refused."""

    def recorded_state(self, placement: Placement) -> str | None:
        """Return the instance's state in the implementation's own record after the last rescue or unrescue."""

    def base_paths(self, placement: Placement) -> Collection[Path]:
        """Return the paths of the base images that the instance's disks may have below them."""

    def detach(self, instance: Instance, placement: Placement, disk: str) -> None:
        """Detach a volume of the running guest."""

    def forget(self, placement: Placement) -> None:
        """Remove the files of an instance whose domain is gone."""


class Implementation(ABC):
    """Turns (instance, rescue image) into domain XML. ``placement.sources`` holds the rescue disk under ``rescue``.

    An implementation is a context manager, and holds its resources while a run uses it. Methods may be called from
    several threads at once.
    """

    levels: Collection[Level] = tuple(Level)
    """The levels at which the implementation can be looked at."""
    is_foreign: bool = False
    """True if the code under test is not the harness's. Ids of cases name it, and it may refuse an instance."""
    makes_own_disks: bool = False
    """True if the implementation makes and places all disks except volumes. Steps can then only detach volumes."""
    performs_by_itself: bool = False
    """True if the implementation itself starts and stops the guests at level guest, by ``guests``."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name under which results are filed."""

    @property
    def versions(self) -> dict[str, str]:
        """The implementation's versions, for results and for the conditions of expectations."""
        return {}

    @abstractmethod
    def normal(self, instance: Instance, placement: Placement) -> str:
        """Make the domain of the running instance."""

    @abstractmethod
    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        """Make the domain of the rescued instance.

        Raises:
            Refused: the implementation does not support this rescue; the refusal tells the guest's state.
        """

    def lacks(self, instance: Instance, level: Level) -> HostError | None:
        """Return the error that names a part that this host lacks for an instance at a level, or None."""
        return lacking(instance, level)

    def require_askable(self, scenario: Scenario, level: Level) -> None:
        """Check that the harness can ask the implementation for a scenario at a level.

        Raises:
            NotAskedError: the harness has no way to ask for a part of the scenario.
        """
        del level
        if self.makes_own_disks:
            require_steps_on_own_disks(self.name, scenario.steps)

    def unrescued(self, rescue: Rescue) -> str:
        """Make the domain after a rescue: by default the saved definition, byte for byte."""
        return rescue.saved_xml

    def disk_names(self, placement: Placement) -> Mapping[str, str]:
        """Return the name of the disk behind each source in the domains."""
        return {source.defined_as: name for name, source in placement.sources.items()}

    def guests(self, hypervisor: Hypervisor) -> SelfPerformedGuests:
        """Return the guests of an implementation that performs by itself, with the limits of the run's hypervisor."""
        raise NotImplementedError(f"{self.name} does not perform by itself on {hypervisor.root.path}")

    def cancel(self) -> None:  # noqa: B027 - most make nobody wait
        """Stop all waiting for the implementation, because the run is to end. May be called from any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release what the implementation holds."""
        return


def conditions_of(implementation: Implementation) -> dict[str, str]:
    """Return the values that conditions of expectations may name: the implementation's name and versions."""
    return {"implementation": implementation.name, **implementation.versions}
