"""Upstream Nova as an implementation under test. Nova's libvirt driver makes the domains, and runs them at level guest.

``LibvirtDriver.unrescue`` defines the saved content of unrescue.xml. The default of ``Implementation.unrescued`` does
the same.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.domain.placement import Placement
from harness.errors import GuestAfter, HostError
from harness.frozen import Frozen
from harness.hypervisor.host import Hypervisor
from harness.hypervisor.optional_parts import lacks_vfat_mounts
from harness.hypervisor.roots import EmbeddedRoot, held_root
from harness.implementation.nova.description import (
    Asked,
    asked_of_nova,
    disks_by_source,
    require_guests_for,
    require_words_for,
    rescue_properties,
)
from harness.implementation.nova.environments import NovaEnvironment
from harness.implementation.nova.guests import NovaGuests
from harness.implementation.nova.kept_worker import KeptWorker
from harness.implementation.nova.messages import Answer, MakeNormal, MakeRescued
from harness.implementation.nova.opening import START_TIMEOUT_S, opened_worker
from harness.implementation.nova.process import Worker
from harness.implementation.nova.refusals import refused_instance, refused_rescue
from harness.implementation.protocol import Implementation, RescuedDomain, RunningInstance
from harness.scenario.disks import ConfigDrive
from harness.scenario.models import Instance, Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import Level

REQUEST_TIMEOUT_S = 60.0


class Nova(Implementation):
    """One Nova. The first request starts its ``worker``. A context manager; safe between threads."""

    levels = frozenset((Level.PLAN, Level.GUEST))
    is_foreign = True
    makes_own_disks = True
    performs_by_itself = True

    def __init__(
        self,
        environment: NovaEnvironment,
        *,
        start_timeout_s: float = START_TIMEOUT_S,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._environment = environment
        self._start_timeout_s = start_timeout_s
        self._request_timeout_s = request_timeout_s
        self._stack = ExitStack()
        self._root: EmbeddedRoot | None = None
        self.worker = KeptWorker(environment.name, self._start)
        self._cancelled = threading.Event()
        self._guests_lock = threading.Lock()
        self._guests: NovaGuests | None = None

    @property
    def name(self) -> str:
        """The implementation's name: ``nova:34.0.0``, ``nova:/src/nova``."""
        return self._environment.name

    @property
    def versions(self) -> dict[str, str]:
        """Nova's version, for a case's record and the conditions of its expectations; empty if it is not known."""
        version = self._environment.known_version
        return {} if version is None else {"nova": version}

    def cancel(self) -> None:
        """Stop all waiting for Nova's workers: the run is to end."""
        self._cancelled.set()

    def guests(self, hypervisor: Hypervisor) -> NovaGuests:
        """Return Nova's guests, with the limits of the run's own hypervisor.

        Raises:
            HostError: no libvirt can be started for the guests.
        """
        with self._guests_lock:
            if self._guests is None:
                self._guests = self._stack.enter_context(NovaGuests(self._environment, hypervisor))
            return self._guests

    def lacks(self, instance: Instance, level: Level) -> HostError | None:
        """Return the error that names a part that this host lacks for an instance at a level, or None.

        Nova mounts a config drive in vfat to fill it (``ConfigDriveBuilder._make_vfat``).
        """
        is_vfat = any(isinstance(disk, ConfigDrive) and disk.format == "vfat" for disk in instance.disks)
        missing = super().lacks(instance, level)
        return lacks_vfat_mounts() if missing is None and is_vfat and level is Level.GUEST else missing

    def require_askable(self, scenario: Scenario, level: Level) -> None:
        """Check that the harness can ask Nova for a scenario at a level.

        Raises:
            NotAskedError: Nova has no word for a part of it, or the harness has none.
        """
        super().require_askable(scenario, level)
        require_words_for(scenario.instance)
        if level is Level.GUEST:
            require_guests_for(scenario)

    def normal(self, instance: Instance, placement: Placement) -> str:
        """Return the domain that ``LibvirtDriver.spawn`` would start.

        Raises:
            Refused: Nova does not make such an instance.
            HostError: the worker failed.
        """
        asked = asked_of_nova(instance, placement)
        answer = self._ask(MakeNormal(instance=asked.instance, configuration=asked.configuration))
        if answer.refusal is not None:
            raise refused_instance(answer.refusal)
        return self._xml(answer)

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        """Return the domain that ``LibvirtDriver.rescue`` would start.

        Raises:
            Refused: nova-api raised an exception, or nova-compute did, which leaves the instance in another state.
            HostError: the worker failed.
        """
        asked: Asked = asked_of_nova(running.instance, running.placement)
        answer = self._ask(
            MakeRescued(
                instance=asked.instance,
                configuration=asked.configuration,
                rescue_properties=rescue_properties(image),
                running_xml=running.live_xml,
            )
        )
        if answer.refusal is not None:
            raise refused_rescue(self.name, answer.refusal, answer.left, asked.instance.uuid)
        is_off = answer.left is not None and answer.left.is_off
        return RescuedDomain(self._xml(answer), GuestAfter.SHUT_OFF if is_off else GuestAfter.RUNNING)

    def disk_names(self, placement: Placement) -> dict[str, str]:
        """Return the name of the disk behind each source in Nova's domains."""
        return disks_by_source(placement, self._instances_path)

    def _xml(self, answer: Answer) -> str:
        if answer.xml is None:
            raise HostError(f"{self.name}: the worker answered without a domain")
        return answer.xml

    def _ask(self, request: Frozen) -> Answer:
        return self.worker.ask(request, self._request_timeout_s)

    def _start(self) -> Worker:
        root = self._held_root
        return opened_worker(
            self._environment, root.path, self._start_timeout_s, self._stack, cancelled=self._cancelled
        )

    @property
    def _held_root(self) -> EmbeddedRoot:
        if self._root is None:
            raise RuntimeError(f"{self.name} is used outside of its context")
        return self._root

    @property
    def _instances_path(self) -> Path:
        return self._held_root.work_path / "instances"

    def __enter__(self) -> Self:
        self._cancelled.clear()
        self._root = self._stack.enter_context(held_root(in_memory=True))
        self._stack.callback(shutil.rmtree, self._root.work_path, ignore_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.worker.forget()
        self._stack.close()
        self._root = self._guests = None
