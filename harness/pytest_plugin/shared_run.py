"""The session, the pool of cases and the results folder that all scenario tests of a pytest process share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property

import pytest

from harness.errors import HarnessError, HostError
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.interruption import end_on_terminate, interrupts_answered
from harness.pytest_plugin.on_demand import ITEMS, is_worker, name_of_run
from harness.pytest_plugin.scenarios import ScenarioItem
from harness.reading.cases import Case, deepest_level
from harness.result.case_result import CaseResult
from harness.run.on_ramp import OpenRun, RunOptions, implementations_at, open_run
from harness.run.pool import CasePool
from harness.run.session import Session
from harness.scenario.words import Level


class SharedRun:
    """A run that is opened when first needed. A worker of pytest-xdist runs no case ahead."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._run: OpenRun | None = None
        self._pool: CasePool | None = None
        self._positions: dict[str, int] = {}
        self._trouble: HarnessError | None = None

    @cached_property
    def implementations(self) -> list[Implementation]:
        """The implementations to test.

        Raises:
            ScenarioError: a name is no implementation, or an implementation does not have the level that is asked for.
        """
        option = self._config.option
        return implementations_at(option.rescue_implementation or (), Level(option.rescue_level))

    def session(self) -> Session:
        """Return the session of the engine.

        Raises:
            HostError: images, QEMU or libvirt are missing or do not work.
        """
        return self._opened().session

    def result(self, nodeid: str, cases: Mapping[str, Case]) -> CaseResult:
        """Return the result of a test's case, while later ones of the run's ``cases`` are under way."""
        if self._pool is None:
            self._positions = {each: position for position, each in enumerate(cases)}
            self._pool = self._open_pool(list(cases.values()))
        return self._pool.result(self._positions[nodeid])

    def close(self) -> None:
        """End guests and release the hypervisor."""
        with interrupts_answered():
            self._stack.close()

    def _opened(self) -> OpenRun:
        """Open the run when first called. If opening fails, every test gets the same error."""
        if self._trouble is not None:
            raise self._trouble.with_traceback(None)
        if self._run is None:
            try:
                self._run = self._open()
            except HarnessError as error:
                self._trouble = error
                raise
        return self._run

    def _open(self) -> OpenRun:
        end_on_terminate()
        option = self._config.option
        options = RunOptions(
            option.rescue_results,
            self._level(),
            option.rescue_boot_timeout,
            option.rescue_control_boots,
            # Every worker knows all cases, but not which of them xdist will give to it.
            jobs=1 if is_worker(self._config) else option.rescue_jobs,
            name=name_of_run(self._config),
        )
        return self._stack.enter_context(open_run(options, self._under_test(), progress=self._say))

    def _under_test(self) -> list[Implementation]:
        """Return the implementations to open, always with the reference, by which users' own tests rescue."""
        named = self.implementations
        return named if any(each.name == Reference.name for each in named) else [*named, Reference()]

    def _level(self) -> Level:
        """Return the deepest level that a test of the run needs."""
        items = self._config.stash.get(ITEMS, None)
        if items is None:
            raise HostError("the session was asked for before the tests were collected")
        if any({"rescue_session", "rescued"} & set(getattr(item, "fixturenames", ())) for item in items):
            return Level.GUEST
        return deepest_level(item.case for item in items if isinstance(item, ScenarioItem) and item.can_run)

    def _open_pool(self, cases: list[Case]) -> CasePool:
        run = self._opened()
        jobs = run.jobs(cases)
        ahead = 0 if is_worker(self._config) else jobs if self._config.option.maxfail else None
        return self._stack.enter_context(run.pool(cases, jobs=jobs, ahead=ahead))

    def _say(self, message: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self._config.option.verbose > 0:
            reporter.write_line(message)
