"""The pytest plugin: every case of a scenario file is a test, and ``rescued`` gives users' own tests a rescued guest.

YAML files are collected below a folder named by the ini option ``rescue_scenarios`` (default: ``scenarios``), or when
named on the command line. This module has the hooks that pytest calls in every run. Modules that only scenarios need
are loaded on demand.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from harness.pytest_plugin.on_demand import (
    ITEMS,
    check_implementations,
    close_shared_run,
    results_path,
    scenarios,
    standings_sentence,
)

pytest_plugins = ["harness.fixtures.guests", "harness.pytest_plugin.workers"]
_SUFFIXES = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options in a group of their own."""
    group = parser.getgroup("rescue", "rescue scenarios in real guests")
    group.addoption(
        "--rescue-jobs", type=_positive, metavar="N", help="number of guests at once; default: by cores and free memory"
    )
    group.addoption(
        "--rescue-results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="folder in which the run's results folder is made",
    )
    group.addoption(
        "--rescue-level",
        choices=("plan", "machine", "guest"),
        default="guest",
        help="source of evidence; a scenario may need a deeper level; default: guest",
    )
    group.addoption(
        "--rescue-implementation",
        action="append",
        metavar="NAME",
        help="implementation to test: reference, nova:VERSION or nova:PATH; may be repeated; default: reference",
    )
    group.addoption(
        "--rescue-boot-timeout",
        type=float,
        metavar="SECONDS",
        help="seconds of its own time that a guest may take to boot; default: 25 canary boots, at least 60",
    )
    group.addoption(
        "--rescue-control-boots",
        type=int,
        default=3,
        metavar="N",
        help="number of further boots of each state, to tell a kernel race from a moved disk; default: 3",
    )
    parser.addini(
        "rescue_scenarios", "folders below which YAML files are scenarios", type="args", default=["scenarios"]
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 on")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and check the implementations that the command line names.

    Raises:
        UsageError: a name is no implementation, or an implementation does not have the level that is asked for.
    """
    config.addinivalue_line(
        "markers", "rescue_scenario(path, k=None): the scenario file, beside the test, whose rescued guest `rescued` is"
    )
    if config.option.rescue_implementation:
        check_implementations(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End guests and release the hypervisor."""
    close_shared_run(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect scenario files."""
    if file_path.suffix not in _SUFFIXES:
        return None
    named = any(Path(word.split("::")[0]).absolute() == file_path for word in parent.config.args)
    if not named and not _is_below_scenario_folder(file_path, parent.config):
        return None
    file: pytest.Collector = scenarios(parent.config).ScenarioFile.from_parent(parent, path=file_path)
    return file


def _is_below_scenario_folder(path: Path, config: pytest.Config) -> bool:
    """Return whether a file is not hidden and lies below a folder that the ini option names, inside the root folder."""
    if path.name.startswith(".") or not path.is_relative_to(config.rootpath):
        return False
    ancestors = list(path.relative_to(config.rootpath).parents)[:-1]
    names = {ancestor.name for ancestor in ancestors} | {str(ancestor) for ancestor in ancestors}
    return not names.isdisjoint(config.getini("rescue_scenarios"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the tests of the run, so that nothing is prepared that no test needs."""
    session.config.stash[ITEMS] = session.items


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print where the cases stand, and the path of the results folder."""
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.stats.get(outcome, ())]
    told = standings_sentence(report for report in reports if report.when == "call")
    if told is not None:
        terminalreporter.write_line(f"rescue cases: {told}")
    folder = results_path(config)
    if folder is not None:
        terminalreporter.write_line(f"rescue results: {folder}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each point of the scenario that ``rescue_scenario`` names."""
    mark = metafunc.definition.get_closest_marker("rescue_scenario")
    if mark is None or "rescued" not in metafunc.fixturenames:
        return
    cases = scenarios(metafunc.config).cases_to_rescue(mark, metafunc.definition)
    metafunc.parametrize("rescued", cases, indirect=True, ids=[case.id for case in cases], scope="module")
