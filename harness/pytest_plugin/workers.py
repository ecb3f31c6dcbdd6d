"""Scenario tests spread over workers by pytest-xdist: one results folder, one guest a worker, long cases first.

Each worker has a session, and with it a state folder of libvirt's, of its own. All hooks here are pytest-xdist's, or
do nothing without it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from harness.interruption import end_on_terminate
from harness.pytest_plugin.shared_run import RUN_NAME, shared_run
from harness.run.capacity import guests_at_once
from harness.scenario.words import MIB

_WORKER_BYTES = 512 * MIB
"""The largest guest that is given no memory of its own, and the worker that drives it."""


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """With ``-n auto`` and ``-n logical``, no more workers than guests fit into free memory."""
    workers = yield
    return min(workers, guests_at_once(_WORKER_BYTES))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the results of the whole run go."""
    end_on_terminate()
    node.workerinput[RUN_NAME] = shared_run(node.config).name


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, put long cases first, so that at the end no worker has one left while the others idle."""
    from harness.pytest_plugin.collection import ScenarioItem  # noqa: PLC0415 - which loads this module
    from harness.run.cost import boots_of  # noqa: PLC0415 - only where tests run

    if not shared_run(config).is_worker:
        return
    scenarios = [item for item in items if isinstance(item, ScenarioItem)]
    longest_first = iter(sorted(scenarios, key=lambda item: boots_of(item.case), reverse=True))
    items[:] = [next(longest_first) if isinstance(item, ScenarioItem) else item for item in items]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what workers left that were killed; by now none is running any more."""
    run = shared_run(session.config)
    if session.config.pluginmanager.has_plugin("dsession") and run.results_path is not None:
        from harness.hypervisor.roots import clean_all  # noqa: PLC0415 - libvirt is slow to load

        clean_all()
