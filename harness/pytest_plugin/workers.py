"""Scenario tests spread over workers by pytest-xdist: one results folder, one guest a worker, long cases first.

Each worker has a session, and with it a state folder of libvirt's, of its own. Every hook here belongs to
pytest-xdist, or does nothing without it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from harness.interruption import end_on_terminate
from harness.pytest_plugin.on_demand import RUN_NAME, clean_up_after_workers, name_of_run, results_path
from harness.run.capacity import guests_at_once
from harness.scenario.words import MIB

_WORKER_BYTES = 512 * MIB
"""The memory of the largest guest whose scenario sets none, and of the worker that drives the guest."""


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Limit ``-n auto`` and ``-n logical`` to as many workers as guests fit into free memory."""
    workers = yield
    return min(workers, guests_at_once(_WORKER_BYTES))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the results of the whole run go."""
    end_on_terminate()
    node.workerinput[RUN_NAME] = name_of_run(node.config)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the leftovers of killed workers; no worker is running any more."""
    if session.config.pluginmanager.has_plugin("dsession") and results_path(session.config) is not None:
        clean_up_after_workers()
