"""Loading of the modules that only scenario tests need, each when the first such test needs it.

pytest loads the plugin in every project where the package is installed. A run without a scenario must load neither
libvirt nor any other slow module.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError, HostError
from harness.result.run_path import run_name

if TYPE_CHECKING:
    from harness.guest.testinfra_host import GuestHost
    from harness.pytest_plugin.shared_run import SharedRun
    from harness.reading.cases import Case
    from harness.run.session import Session

RUN_NAME = "rescue_run_name"
"""The key under which pytest-xdist's controller tells its workers the name of the results folder that they share."""

STANDING = "standing"
"""The property of a test's report that says where the case stands."""

ITEMS: pytest.StashKey[list[pytest.Item]] = pytest.StashKey()
"""All tests of the run, once they are collected."""

_SCENARIOS = "harness.pytest_plugin.scenarios"
_NAME: pytest.StashKey[str] = pytest.StashKey()
_RUN: pytest.StashKey[SharedRun] = pytest.StashKey()


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process is a worker of pytest-xdist's."""
    return hasattr(config, "workerinput")


def name_of_run(config: pytest.Config) -> str:
    """Return the name of the results folder, which all processes of a run share."""
    if _NAME not in config.stash:
        worker_input: dict[str, str] | None = getattr(config, "workerinput", None)
        config.stash[_NAME] = run_name() if worker_input is None else worker_input[RUN_NAME]
    return config.stash[_NAME]


def results_path(config: pytest.Config) -> Path | None:
    """Return the results folder, once this process or a worker has opened a session."""
    path: Path = config.option.rescue_results / name_of_run(config)
    return path if path.is_dir() else None


def scenarios(config: pytest.Config) -> ModuleType:
    """Return the module that collects scenarios, after registering it as a plugin of the run."""
    module = import_module(_SCENARIOS)
    if not config.pluginmanager.has_plugin(_SCENARIOS):
        config.pluginmanager.register(module, _SCENARIOS)
    return module


def shared_run(config: pytest.Config) -> SharedRun:
    """Return the session, pool and results folder that all scenario tests of the process share.

    Raises:
        HostError: libvirt's library cannot be loaded.
    """
    if _RUN not in config.stash:
        try:
            module = import_module("harness.pytest_plugin.shared_run")
        except ImportError as error:
            if error.name not in ("libvirt", "libvirtmod"):
                raise
            raise HostError(f"libvirt's library cannot be loaded: {error}", hint="install libvirt0") from error
        config.stash[_RUN] = module.SharedRun(config)
    return config.stash[_RUN]


def check_implementations(config: pytest.Config) -> None:
    """Check the names of implementations before any file is collected, so that a wrong name is told once.

    Raises:
        UsageError: a name is no implementation, or an implementation does not have the level that is asked for.
    """
    try:
        _ = shared_run(config).implementations
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None


def close_shared_run(config: pytest.Config) -> None:
    """Release everything that the process's scenario tests hold."""
    if _RUN in config.stash:
        config.stash[_RUN].close()


def standings_sentence(reports: Iterable[pytest.TestReport]) -> str | None:
    """Return how many cases stand where, by the reports of their tests; None without a case."""
    found = [value for report in reports for name, value in report.user_properties if name == STANDING]
    if not found:
        return None
    standing = import_module("harness.result.standing")
    return ", ".join(standing.tally(standing.Standing(str(each)) for each in found))


def rescued_guest(case: Case, session: Session) -> AbstractContextManager[GuestHost]:
    """Return a context manager that gives a case's rescued guest and removes it at the end."""
    guest: AbstractContextManager[GuestHost] = import_module("harness.pytest_plugin.rescued_guest").rescued_guest(
        case, session
    )
    return guest


def clean_up_after_workers() -> None:
    """Remove the leftovers of dead processes."""
    import_module("harness.hypervisor.roots").clean_all()
