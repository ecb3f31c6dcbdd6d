"""Cases in parallel: a ThreadPoolExecutor that stays ahead of a caller who asks for one result after the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import libvirt

from harness.errors import HostError
from harness.hypervisor.reaping import orphans_reaped
from harness.reading.cases import Case
from harness.result.case_result import CaseResult
from harness.run.capacity import guests_at_once
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.images import is_debian
from harness.scenario.words import Level


class Observer(Protocol):
    """An observer of the cases' progress, called from the threads that run the cases."""

    def started(self, case: Case) -> None:
        """Note that a case begins."""

    def phase(self, case: Case, text: str) -> None:
        """Note that a case enters a phase, such as a state's boot."""

    def finished(self, case: Case, result: CaseResult) -> None:
        """Note that a case has its result."""


def default_jobs(cases: Sequence[Case]) -> int:
    """Return the number of guests at once: one a core, as long as they fit into the memory that is free now."""
    return guests_at_once(max((case.point.scenario.instance.memory_bytes for case in cases), default=0))


def obtain_needed_images(cases: Sequence[Case], session: Session) -> None:
    """Have the Debian images built before the first case, if a case needs them.

    The build takes minutes, and the user can stop it here. The cases that need the images report an error of the build.
    """
    for case in cases:
        scenario = case.point.scenario
        if case.level is not Level.PLAN and any(map(is_debian, scenario.images)):
            with suppress(HostError):
                session.debian()
            return


class Unobserved:
    """An observer for runs whose progress is shown elsewhere, or nowhere."""

    def started(self, case: Case) -> None:
        """Nothing to show."""

    def phase(self, case: Case, text: str) -> None:
        """Nothing to show."""

    def finished(self, case: Case, result: CaseResult) -> None:
        """Nothing to show."""


class CasePool:
    """Runs ``cases``, ``jobs`` at once, from the requested case on and at most ``ahead`` beyond it (default: all).

    Leaving the context ends the cases that are still running: their guests are destroyed and their files removed.
    """

    def __init__(
        self, cases: Sequence[Case], session: Session, observer: Observer, *, jobs: int, ahead: int | None = None
    ) -> None:
        self._cases = cases
        self._session = session
        self._observer = observer
        self._ahead = len(cases) if ahead is None else ahead
        self._executor = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="case")
        self._futures: dict[int, Future[CaseResult]] = {}

    def result(self, index: int) -> CaseResult:
        """Wait for a case's result.

        Raises:
            HostError: the folder for the case's artefacts cannot be made.
            CancelledError: the run was interrupted.
        """
        for number in range(index, min(index + 1 + self._ahead, len(self._cases))):
            if number not in self._futures:
                self._futures[number] = self._executor.submit(self._run, self._cases[number])
        return self._futures[index].result()

    def _run(self, case: Case) -> CaseResult:
        self._observer.started(case)
        result = run_case(case, self._session, lambda text: self._observer.phase(case, text))
        self._observer.finished(case, result)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if any(not future.done() for future in self._futures.values()):
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._session.hypervisor.cancelled.set()
            self._session.implementations.cancel()
            self._destroy_guests()
        self._executor.shutdown()

    def _destroy_guests(self) -> None:
        connection = self._session.hypervisor.connection
        with orphans_reaped():
            for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
                try:
                    domain.destroy()
                except libvirt.libvirtError:
                    continue  # the domain's own case has destroyed it first
