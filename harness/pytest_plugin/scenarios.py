"""Scenario files as tests: each case of a file is an item. The run's first scenario registers this plugin."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError, HostError, ScenarioError
from harness.implementation.reference.implementation import Reference
from harness.pytest_plugin.mark import named_scenario
from harness.pytest_plugin.on_demand import STANDING, is_worker, results_path, shared_run
from harness.reading.cases import Case
from harness.result.case_result import CaseResult
from harness.result.standing import standing_of
from harness.run.choice import choose_cases
from harness.run.cost import boots_of
from harness.scenario.words import Level, VerdictName


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, put long cases first, so that at the end no worker has one left while the others idle."""
    if not is_worker(config):
        return
    found = [item for item in items if isinstance(item, ScenarioItem)]
    longest_first = iter(sorted(found, key=lambda item: boots_of(item.case), reverse=True))
    items[:] = [next(longest_first) if isinstance(item, ScenarioItem) else item for item in items]


def cases_to_rescue(mark: pytest.Mark, test: pytest.Item) -> tuple[Case, ...]:
    """Return the cases whose rescued guests a test gets by its mark; the mark's path is relative to the test's file.

    Raises:
        CollectError: the mark or the scenario file is wrong, or the mark's keyword expression matches no case.
    """
    try:
        named = named_scenario(mark)
        return chosen_for_a_test(test.path.parent / named.path, named.keyword)
    except ScenarioError as error:
        raise pytest.Collector.CollectError(f"{test.nodeid}: {error}") from None


def chosen_for_a_test(path: Path, keyword: str | None) -> tuple[Case, ...]:
    """Return the cases of a scenario file that match a keyword expression.

    Raises:
        ScenarioError: the file or the expression is wrong, or no case matches.
    """
    cases = choose_cases([path], [Reference()], keyword=keyword).cases
    if cases:
        return cases
    ids = [case.id for case in choose_cases([path], [Reference()]).cases]
    raise ScenarioError(f"no case matches k='{keyword}'", hint=f"the cases are: {', '.join(ids)}")


class ScenarioFile(pytest.File):
    """One scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Collect the file's cases.

        Raises:
            CollectError: the file is wrong; the message lists every problem.
        """
        level = Level(self.config.option.rescue_level)
        try:
            choices = [
                (choose_cases([self.path], [implementation], level=level), implementation.levels)
                for implementation in shared_run(self.config).implementations
            ]
        except (ScenarioError, HostError) as error:
            raise self.CollectError(str(error)) from error
        for choice, levels in choices:
            for case in choice.cases:
                yield ScenarioItem.from_parent(self, name=case.id, case=case, can_run=case.level in levels)
        for choice, _ in choices:
            for case, lacking in choice.lacking:
                yield LeftOutItem.from_parent(self, name=case.id, why=str(lacking))
            for case, reason in choice.not_asked:
                yield LeftOutItem.from_parent(self, name=case.id, why=reason)


class LeftOutItem(pytest.Item):
    """A case that needs something this host lacks, or that the implementation cannot be asked for."""

    def __init__(self, *, why: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._why = why

    def runtest(self) -> None:
        """Skip the case, and say why."""
        pytest.skip(self._why)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the place and the name of the test."""
        return self.path, None, self.name


def _outcome(result: CaseResult) -> str:
    """Return the verdict, and for an error, which says nothing about the rescue, where the case stands."""
    is_error = result.verdict is VerdictName.ERROR
    return f"{result.verdict}, {standing_of(result)}" if is_error else str(result.verdict)


class CaseFailedError(Exception):
    """A case did not end as expected."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result.case)
        self.result = result


class ScenarioItem(pytest.Item):
    """One case. ``can_run`` says whether its implementation has the level that the scenario asks for."""

    def __init__(self, *, case: Case, can_run: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.can_run = can_run

    def runtest(self) -> None:
        """Wait for the case's result.

        Raises:
            CaseFailedError: the result is not the expected one.
        """
        if not self.can_run:
            pytest.skip(f"{self.case.implementation} does not have level {self.case.level} so far")
        items = [item for item in self.session.items if isinstance(item, ScenarioItem) and item.can_run]
        cases = {item.nodeid: item.case for item in items}
        result = shared_run(self.config).result(self.nodeid, cases)
        self.user_properties.append(("verdict", str(result.verdict)))
        self.user_properties.append((STANDING, str(standing_of(result))))
        self.user_properties.append(("level", str(result.level)))
        self.user_properties.append(("artefacts", result.artefacts))
        unchecked = [str(status.claim) for status in result.claims if status.status == "not-checked"]
        if unchecked:
            self.user_properties.append(("not_checked", " ".join(unchecked)))
        if not result.as_expected:
            raise CaseFailedError(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return findings, artefacts and the command that runs only this case again, without a traceback."""
        if isinstance(excinfo.value, CaseFailedError):
            return self._failure(excinfo.value.result)
        if isinstance(excinfo.value, HarnessError):
            return f"{type(excinfo.value).__name__}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def _failure(self, result: CaseResult) -> str:
        expected = "nothing for these versions" if result.expectation is None else result.expectation.verdict
        lines = [f"{result.case}: {_outcome(result)}, expected {expected}", result.summary, ""]
        lines += [f"  {sentence}" for sentence in (*result.sentences_beside_mismatch, *result.told_mismatch)]
        folder = results_path(self.config)
        options = [] if result.level == "guest" else ["--rescue-level", str(result.level)]
        if self.config.option.rescue_implementation:
            options += ["--rescue-implementation", result.implementation]
        again = shlex.join(["pytest", f"{self.path}::{self.name}", *options])
        lines += ["", f"artefacts: {folder}/{result.artefacts}", f"again:     {again}"]
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the place and the name of the test."""
        return self.path, None, self.name
