"""What all scenario tests of one pytest process share: session, pool of cases, results folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError, HostError, ScenarioError
from harness.interruption import end_on_terminate, interrupts_answered
from harness.result.run_path import run_name

if TYPE_CHECKING:
    from harness.implementation.protocol import Implementation
    from harness.reading.cases import Case
    from harness.result.case_result import CaseResult
    from harness.run.pool import CasePool
    from harness.run.session import Session
    from harness.scenario.words import Level

RUN_NAME = "rescue_run_name"
"""The key under which pytest-xdist's controller tells its workers the name of the results folder that they share."""


@dataclass
class SharedRun:
    """Opened when first needed. ``name`` is that of the results folder; a worker of pytest-xdist runs no case ahead."""

    config: pytest.Config
    name: str
    is_worker: bool
    level: Level | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _session: Session | None = None
    _pool: CasePool | None = None
    _positions: dict[str, int] = field(default_factory=dict)
    _implementations: list[Implementation] | None = None
    _trouble: HarnessError | None = None

    @classmethod
    def set_up(cls, config: pytest.Config) -> None:
        """Give a pytest configuration its shared run."""
        worker_input: dict[str, str] | None = getattr(config, "workerinput", None)
        name = run_name() if worker_input is None else worker_input[RUN_NAME]
        config.stash[_RUN] = cls(config, name, is_worker=worker_input is not None)

    @staticmethod
    def tear_down(config: pytest.Config) -> None:
        """Release everything that a configuration's run holds."""
        run = config.stash.get(_RUN, None)
        if run is not None:
            run.close()

    @property
    def results_path(self) -> Path | None:
        """The results folder, once this process or a worker has opened a session."""
        path: Path = self.config.option.rescue_results / self.name
        return path if path.is_dir() else None

    def implementations(self) -> list[Implementation]:
        """What is tested.

        Raises:
            UsageError: there is none of a name, or it does not have the level that is asked for.
        """
        if self._implementations is None:
            option = self.config.option
            if not option.rescue_implementation:
                from harness.implementation.reference.implementation import Reference  # noqa: PLC0415 - only where scenarios are used

                self._implementations = [Reference()]
                return self._implementations
            from harness.implementation.registry import implementations_of, require_level  # noqa: PLC0415 - loads libvirt
            from harness.scenario.words import Level  # noqa: PLC0415

            try:
                self._implementations = implementations_of(option.rescue_implementation)
                require_level(self._implementations, Level(option.rescue_level))
            except ScenarioError as error:
                raise pytest.UsageError(str(error)) from error
        return self._implementations

    def session(self) -> Session:
        """The session of the engine. What keeps it from being opened once does so for all tests.

        Raises:
            HostError: images, QEMU or libvirt are not to be had.
        """
        if self._trouble is not None:
            raise self._trouble.with_traceback(None)
        if self._session is None:
            try:
                self._session = self._open_session()
            except HarnessError as error:
                self._trouble = error
                raise
        return self._session

    def _open_session(self) -> Session:
        try:
            from harness.run.session import open_session  # noqa: PLC0415 - libvirt is slow to load
        except ImportError as error:
            raise HostError(f"libvirt's library cannot be loaded: {error}", hint="install libvirt0") from error
        end_on_terminate()
        option = self.config.option
        if self.level is None:
            raise HostError("the session was asked for before the tests were collected")
        with ExitStack() as stack:
            held = None
            if option.rescue_implementation:
                from harness.implementation.registry import opened  # noqa: PLC0415 - loads libvirt

                held = stack.enter_context(opened(self.implementations()))
            session = stack.enter_context(
                open_session(
                    option.rescue_results,
                    progress=self._say,
                    boot_timeout_s=option.rescue_boot_timeout,
                    control_boots=option.rescue_control_boots,
                    level=self.level,
                    name=self.name,
                    implementations=held,
                )
            )
            self._stack.push(stack.pop_all())
        return session

    def result(self, nodeid: str, cases: Mapping[str, Case]) -> CaseResult:
        """The result of a test's case; those after it in ``cases``, all of the run's, are under way meanwhile."""
        if self._pool is None:
            self._positions = {each: position for position, each in enumerate(cases)}
            self._pool = self._open_pool(list(cases.values()))
        return self._pool.result(self._positions[nodeid])

    def _open_pool(self, cases: list[Case]) -> CasePool:
        from harness.run.pool import (  # noqa: PLC0415 - libvirt is slow to load
            CasePool,
            Unobserved,
            default_jobs,
            obtain_needed_images,
        )

        jobs = self.config.option.rescue_jobs or default_jobs(cases)
        ahead = jobs if self.config.option.maxfail else None
        if self.is_worker:
            # All workers know all cases, but nobody knows which ones a worker will be given.
            jobs, ahead = 1, 0
        obtain_needed_images(cases, self.session())
        return self._stack.enter_context(CasePool(cases, self.session(), Unobserved(), jobs=jobs, ahead=ahead))

    def close(self) -> None:
        """End guests and release the hypervisor."""
        with interrupts_answered():
            self._stack.close()

    def _say(self, message: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self.config.option.verbose > 0:
            reporter.write_line(message)


_RUN: pytest.StashKey[SharedRun] = pytest.StashKey()


def shared_run(config: pytest.Config) -> SharedRun:
    """The shared run of a pytest configuration."""
    return config.stash[_RUN]
