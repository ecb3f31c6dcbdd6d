"""Upstream Nova as an implementation under test, at level plan: its own libvirt driver makes the domains."""

from __future__ import annotations

import shutil
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.domain.placement import Placement
from harness.errors import HarnessError, HostError, Refused
from harness.frozen import Frozen
from harness.hypervisor.connection import version_text
from harness.hypervisor.reaping import orphans_reaped
from harness.hypervisor.roots import EmbeddedRoot, held_root
from harness.nova.description import Asked, asked_of_nova, disks_by_source, rescue_properties
from harness.nova.environments import Environments, NovaEnvironment
from harness.nova.messages import (
    Answer,
    Left,
    MakeNormal,
    MakeRescued,
    NovaRefusal,
    Open,
    SeenVersions,
    Version,
)
from harness.nova.process import Worker, WorkerError
from harness.rescue.protocol import RunningInstance
from harness.scenario.models import Instance, RescueImage
from harness.scenario.words import Level

START_TIMEOUT_S = 300.0
"""Imports take 2 s, the first look at QEMU 4 to 8; much more on a busy host."""
REQUEST_TIMEOUT_S = 60.0
MOST_FAILURES_IN_A_ROW = 3
WORKER_LOG = "nova-worker.log"


class Nova:
    """One Nova. Its worker is started by the first request, and again after it hung or died.

    After MOST_FAILURES_IN_A_ROW of these, or if it does not start at all, it is not tried again. A context manager;
    safe between threads.
    """

    deepest_level = Level.PLAN

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
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._root: EmbeddedRoot | None = None
        self._worker: Worker | None = None
        self._failures = 0
        self._given_up: HarnessError | None = None
        self._destroys_first = False

    @property
    def name(self) -> str:
        """``nova:34.0.0``, ``nova:/src/nova``."""
        return self._environment.name

    @property
    def versions(self) -> dict[str, str]:
        """Nova's version, for a case's record and the conditions of its expectations; none where it is not known."""
        version = self._environment.known_version
        return {} if version is None else {"nova": version}

    @property
    def destroys_first(self) -> bool:
        """Whether Nova had destroyed the running guest when it was done with the last rescue's domain."""
        return self._destroys_first

    @property
    def worker_pid(self) -> int | None:
        """The worker's process, for measurements."""
        return None if self._worker is None else self._worker.pid

    def start(self) -> None:
        """Start the worker now rather than with the first request.

        Raises:
            HostError: it does not start, or demands a newer hypervisor.
        """
        with self._lock:
            self._running_worker()

    def normal(self, instance: Instance, placement: Placement) -> str:
        """The domain that ``LibvirtDriver.spawn`` would start.

        Raises:
            Refused: Nova does not make such an instance.
            HostError: the worker failed.
        """
        asked = asked_of_nova(instance, placement)
        answer = self._ask(MakeNormal(instance=asked.instance, configuration=asked.configuration))
        if answer.refusal is not None:
            raise Refused(f"the instance itself: {answer.refusal.reason}", refused_by="Nova")
        return self._xml(answer)

    def rescued(self, running: RunningInstance, image: RescueImage) -> str:
        """The domain that ``LibvirtDriver.rescue`` would start.

        Raises:
            Refused: nova-api raised, or nova-compute, which then leaves the instance in another state.
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
            raise self._refused(answer.refusal, answer.left, asked.instance.uuid)
        self._destroys_first = answer.has_destroyed
        return self._xml(answer)

    def unrescued(self, saved_xml: str) -> str:
        """``LibvirtDriver.unrescue`` defines what it saved in unrescue.xml, as it is."""
        return saved_xml

    def disk_names(self, instance: Instance, placement: Placement) -> dict[str, str]:
        """Which disk each source in its domains is."""
        return disks_by_source(instance, placement, self._instances_path)

    def _refused(self, refusal: NovaRefusal, left: Left | None, uuid: str) -> Refused:
        reason = refusal.reason.replace(uuid, "UUID")
        if left is not None and left.is_off:
            state = left.vm_state.upper()
            reason += f"; {self.name} has by then powered the guest off, and leaves the instance in {state}"
        return Refused(reason, refused_by=refusal.service or "Nova")

    def _xml(self, answer: Answer) -> str:
        if answer.xml is None:
            raise HostError(f"{self.name}: the worker answered without a domain")
        return answer.xml

    def _ask(self, request: Frozen) -> Answer:
        with self._lock:
            worker = self._running_worker()
            try:
                answer = worker.ask(request, self._request_timeout_s)
            except WorkerError as error:
                self._worker = None
                self._failures += 1
                if self._failures == MOST_FAILURES_IN_A_ROW:
                    self._given_up = error
                raise
            self._failures = 0
            return answer

    def _running_worker(self) -> Worker:
        if self._given_up is not None:
            raise HostError(
                f"{self.name} is not tried again, its worker failed {self._failures or 1} time(s) in a row;"
                f" the last: {self._given_up.message}",
                hint=self._given_up.hint,
            )
        if self._worker is None:
            try:
                self._worker = self._start()
            except HarnessError as error:
                self._given_up = error
                raise
        return self._worker

    def _start(self) -> Worker:
        environment, root = self._environment, self._held_root
        worker = Worker(
            environment.python,
            root.path,
            root.work_path / WORKER_LOG,
            name=self.name,
            version=environment.version,
        )
        self._stack.callback(worker.close)
        try:
            # The first look at QEMU probes every emulator, each a daemon that libvirt waits for.
            with orphans_reaped():
                answer = worker.ask(Open(), self._start_timeout_s)
            if answer.description is None or answer.hypervisor is None:
                raise HostError(f"{self.name}: the worker does not say what it sees")
            demands = (answer.description.min_libvirt, answer.description.min_qemu)
            require_hypervisor(self.name, demands, answer.hypervisor, Environments().all())
        except BaseException:
            worker.close()
            raise
        return worker

    @property
    def _held_root(self) -> EmbeddedRoot:
        if self._root is None:
            raise RuntimeError(f"{self.name} is used outside of its context")
        return self._root

    @property
    def _instances_path(self) -> Path:
        return self._held_root.work_path / "instances"

    def __enter__(self) -> Self:
        self._root = self._stack.enter_context(held_root(in_memory=True))
        self._stack.callback(shutil.rmtree, self._root.work_path, ignore_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker = None
        self._stack.close()
        self._root = None


def require_hypervisor(
    name: str, demands: tuple[Version, Version], seen: SeenVersions, others: list[NovaEnvironment]
) -> None:
    """Check that Nova would start on this host.

    Raises:
        HostError: it demands a newer libvirt or QEMU; says which of the added ones would do.
    """
    wanted_libvirt, wanted_qemu = demands
    short = [
        f"{what} {'.'.join(map(str, wanted))}, here is {version_text(here)}"
        for what, wanted, here in (("libvirt", wanted_libvirt, seen.libvirt), ("QEMU", wanted_qemu, seen.qemu))
        if packed(wanted) > here
    ]
    if not short:
        return
    fitting = [
        each.name
        for each in others
        if packed(each.record.description.min_libvirt) <= seen.libvirt
        and packed(each.record.description.min_qemu) <= seen.qemu
    ]
    raise HostError(
        f"{name} demands {' and '.join(short)}",
        hint=f"of those that were added, {', '.join(fitting)} would do" if fitting else "an older Nova may do",
    )


def packed(version: Version) -> int:
    """A version as libvirt packs it: 9.0.0 is 9000000."""
    major, minor, micro = version
    return major * 1_000_000 + minor * 1000 + micro
