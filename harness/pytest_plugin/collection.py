"""The pytest plugin: every case of a scenario file is a test, and ``rescued`` gives users' own tests a rescued guest.

YAML files are collected below a folder named by the ini option ``rescue_scenarios`` (default: ``scenarios``), or when
named on the command line.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError, HostError, ScenarioError
from harness.pytest_plugin.shared_run import SharedRun, shared_run

if TYPE_CHECKING:
    from harness.implementation.protocol import Implementation
    from harness.reading.cases import Case
    from harness.result.case_result import CaseResult

pytest_plugins = ["harness.fixtures.guests", "harness.pytest_plugin.workers"]
_SUFFIXES = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options in a group of their own."""
    group = parser.getgroup("rescue", "rescue scenarios in real guests")
    group.addoption(
        "--rescue-jobs", type=_positive, metavar="N", help="guests at once; default: by cores and free memory"
    )
    group.addoption("--rescue-results", type=Path, default=Path("results"), metavar="DIR", help="where results go")
    group.addoption(
        "--rescue-level",
        choices=("plan", "machine", "guest"),
        default="guest",
        help="where evidence comes from; a scenario may ask for a deeper level; default: guest",
    )
    group.addoption(
        "--rescue-implementation",
        action="append",
        metavar="NAME",
        help="what is tested: reference, nova:VERSION or nova:PATH; may be given several times; default: reference",
    )
    group.addoption("--rescue-boot-timeout", type=float, metavar="SECONDS", help="default: 25 canary boots")
    group.addoption(
        "--rescue-control-boots",
        type=int,
        default=3,
        metavar="N",
        help="boots of each state that tell a kernel race from a moved disk; default: 3",
    )
    parser.addini(
        "rescue_scenarios", "folders below which YAML files are scenarios", type="args", default=["scenarios"]
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def pytest_configure(config: pytest.Config) -> None:
    """Set up what is opened when it is first needed."""
    config.addinivalue_line(
        "markers", "rescue_scenario(path, k=None): the scenario file, beside the test, whose rescued guest `rescued` is"
    )
    SharedRun.set_up(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End guests and release the hypervisor."""
    SharedRun.tear_down(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect scenario files."""
    if file_path.suffix not in _SUFFIXES:
        return None
    named = any(Path(word.split("::")[0]).absolute() == file_path for word in parent.config.args)
    if named or _is_below_scenario_folder(file_path, parent.config):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _is_below_scenario_folder(path: Path, config: pytest.Config) -> bool:
    """Whether a file that is not hidden has an ancestor below the root folder that the ini option names."""
    if path.name.startswith(".") or not path.is_relative_to(config.rootpath):
        return False
    ancestors = list(path.relative_to(config.rootpath).parents)[:-1]
    names = {ancestor.name for ancestor in ancestors} | {str(ancestor) for ancestor in ancestors}
    return not names.isdisjoint(config.getini("rescue_scenarios"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note how deep this run goes, so that nothing is made ready that no test needs."""
    from harness.reading.cases import deepest_level  # noqa: PLC0415 - only where tests run
    from harness.scenario.words import Level  # noqa: PLC0415

    wants_guest = any({"rescue_session", "rescued"} & set(getattr(item, "fixturenames", ())) for item in session.items)
    cases = [item.case for item in session.items if isinstance(item, ScenarioItem) and item.can_run]
    shared_run(session.config).level = Level.GUEST if wants_guest else deepest_level(cases)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where results lie."""
    folder = shared_run(config).results_path
    if folder is not None:
        terminalreporter.write_line(f"rescue results: {folder}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each point of the scenario that ``rescue_scenario`` names."""
    marker = metafunc.definition.get_closest_marker("rescue_scenario")
    if marker is None or "rescued" not in metafunc.fixturenames:
        return
    if not marker.args:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: rescue_scenario needs the path of a scenario file")
    path = metafunc.definition.path.parent / marker.args[0]
    try:
        cases = _cases_in(path, marker.kwargs.get("k"))
    except ScenarioError as error:
        raise pytest.UsageError(str(error)) from error
    metafunc.parametrize("rescued", cases, indirect=True, ids=[case.id for case in cases], scope="module")


def _cases_in(
    path: Path,
    keyword: str | None = None,
    level: str = "guest",
    implementation: Implementation | None = None,
    left_out: Callable[[Case, HostError], None] = lambda _case, _why: None,
) -> list[Case]:
    from harness.implementation.reference.implementation import Reference  # noqa: PLC0415 - only where scenarios are used
    from harness.reading.cases import collect_cases  # noqa: PLC0415
    from harness.scenario.words import Level  # noqa: PLC0415

    return collect_cases([path], implementation or Reference(), keyword=keyword, level=Level(level), left_out=left_out)


class ScenarioFile(pytest.File):
    """One scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its cases.

        Raises:
            CollectError: the file is wrong; the message lists every problem.
        """
        left_out: list[tuple[Case, HostError]] = []
        try:
            cases = [
                case
                for implementation in shared_run(self.config).implementations()
                for case in _cases_in(
                    self.path,
                    level=self.config.option.rescue_level,
                    implementation=implementation,
                    left_out=lambda case, why: left_out.append((case, why)),
                )
            ]
        except ScenarioError as error:
            raise self.CollectError(str(error)) from error
        for case in cases:
            yield ScenarioItem.from_parent(self, name=case.id, case=case)
        for case, why in left_out:
            yield LeftOutItem.from_parent(self, name=case.id, why=why)


class LeftOutItem(pytest.Item):
    """A case of an optional scenario, of which this host lacks something."""

    def __init__(self, *, why: HostError, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._why = why

    def runtest(self) -> None:
        """Skip it, and say why."""
        pytest.skip(str(self._why))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test comes from."""
        return self.path, None, self.name


class CaseFailedError(Exception):
    """A case did not end as expected."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result.case)
        self.result = result


class ScenarioItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case

    @property
    def can_run(self) -> bool:
        """Whether the implementation has the level that the scenario asks for."""
        from harness.implementation.registry import Implementations  # noqa: PLC0415 - only where scenarios are run

        known = Implementations(*shared_run(self.config).implementations())
        return known.have_level(self.case.implementation, self.case.level)

    def runtest(self) -> None:
        """Wait for the case's result.

        Raises:
            CaseFailedError: it is not the expected one.
        """
        if not self.can_run:
            pytest.skip(f"{self.case.implementation} does not have level {self.case.level} so far")
        items = [item for item in self.session.items if isinstance(item, ScenarioItem) and item.can_run]
        cases = {item.nodeid: item.case for item in items}
        result = shared_run(self.config).result(self.nodeid, cases)
        self.user_properties.append(("verdict", str(result.verdict)))
        self.user_properties.append(("level", str(result.level)))
        self.user_properties.append(("artefacts", result.artefacts))
        unchecked = [str(status.claim) for status in result.claims if status.status == "not-checked"]
        if unchecked:
            self.user_properties.append(("not_checked", " ".join(unchecked)))
        if not result.as_expected:
            raise CaseFailedError(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings, artefacts and the command to run just this case again; no traceback of ours."""
        if isinstance(excinfo.value, CaseFailedError):
            return self._failure(excinfo.value.result)
        if isinstance(excinfo.value, HarnessError):
            return f"{type(excinfo.value).__name__}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def _failure(self, result: CaseResult) -> str:
        expected = "nothing for these versions" if result.expectation is None else result.expectation.verdict
        lines = [f"{result.case}: {result.verdict}, expected {expected}", result.summary, ""]
        lines += [f"  {sentence}" for sentence in (*result.sentences(beside_mismatch=True), *result.mismatch)]
        folder = shared_run(self.config).results_path
        options = [] if result.level == "guest" else ["--rescue-level", str(result.level)]
        if self.config.option.rescue_implementation:
            options += ["--rescue-implementation", result.implementation]
        again = shlex.join(["pytest", f"{self.path}::{self.name}", *options])
        lines += ["", f"artefacts: {folder}/{result.artefacts}", f"again:     {again}"]
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test comes from."""
        return self.path, None, self.name
