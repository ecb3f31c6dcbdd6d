"""A worker that is started when it is needed, and restarted a limited number of times after it hung or died."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

from harness.errors import HarnessError, HostError
from harness.frozen import Frozen
from harness.implementation.nova.messages import Answer
from harness.implementation.nova.process import Worker, WorkerError, to_the_end

MOST_FAILURES_IN_A_ROW = 3


class KeptWorker:
    """A restarted worker, given up after MOST_FAILURES_IN_A_ROW or if it does not start. Safe between threads."""

    def __init__(self, name: str, start: Callable[[], Worker]) -> None:
        self._name = name
        self._start = start
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._failures = 0
        self._given_up: HarnessError | None = None

    @property
    def pid(self) -> int | None:
        """The id of the worker's process; None without a worker."""
        return None if self._worker is None else self._worker.pid

    def start(self) -> None:
        """Start the worker now rather than with the first request.

        Raises:
            HostError: the worker does not start, or Nova demands a newer hypervisor.
        """
        with self._lock:
            self._running()

    def ask(self, request: Frozen, timeout_s: float) -> Answer:
        """Wait for the answer to a request.

        Raises:
            HostError: the worker failed.
        """
        return to_the_end(self.asked(request, timeout_s))

    def asked(self, request: Frozen, timeout_s: float) -> Generator[None, None, Answer]:
        """Ask as ``Worker.asked`` does; other requests wait until the generator has ended or is closed.

        Raises:
            HostError: the worker failed.
        """
        with self._lock:
            worker = self._running()
            try:
                answer = yield from worker.asked(request, timeout_s)
            except WorkerError as error:
                self._worker = None
                self._failures += 1
                if self._failures == MOST_FAILURES_IN_A_ROW:
                    self._given_up = error
                raise
            except BaseException:
                if worker.is_closed:
                    self._worker = None
                raise
            self._failures = 0
            return answer

    def forget(self) -> None:
        """Drop the worker, which is gone with whatever held it."""
        self._worker = None

    def _running(self) -> Worker:
        if self._given_up is not None:
            raise HostError(
                f"{self._name} is not tried again, its worker failed {self._failures or 1} time(s) in a row;"
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
