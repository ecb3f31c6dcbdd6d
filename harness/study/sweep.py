"""Sweep over every combination of a scenario's free keys at level plan: rows are instances, columns rescue images.

The instance is defined once for its row, so that each cell costs only the rescue.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from harness.errors import HostError, HostExhaustedError, NotAskedError, Refused, ScenarioError
from harness.implementation.protocol import Implementation, conditions_of
from harness.level.plan import Plan, PlannedInstance
from harness.level.planner import Planner
from harness.reading.cases import SHIPPED_SUITE
from harness.reading.checks.image_checks import image_problems
from harness.reading.checks.instance_checks import check_instance
from harness.reading.expectation import applicable_expectation
from harness.reading.matrix import data_at, exclusion_reason, label_of, matrix_with_sweep
from harness.reading.problem import Problem
from harness.result.case_result import Refusal
from harness.scenario.models import Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import Level, VerdictName
from harness.study.due_refusals import NOT_DUE, is_due
from harness.verdict.outcome import meets

SHIPPED_SWEEP = SHIPPED_SUITE / "sweep" / "whole-space.yaml"
OF_INSTANCE = ("instance", "steps")
IMPOSSIBLE = "impossible"
EXCLUDED = "excluded"
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Cell:
    """One combination. ``outcome`` is a verdict, or says why there is none.

    The instance cannot exist, the file excludes it, or the implementation cannot be asked for it.

    ``detail`` gives the reason: the refusal, the findings, or the problem of the instance. ``is_good``: nothing moved,
    or only what the scenario expects to move did, or the refusal of the rescue is due.
    """

    row: int
    column: int
    outcome: str
    detail: str = ""
    refusal: Refusal | None = None
    is_good: bool = True

    @property
    def is_planned(self) -> bool:
        """True if libvirt planned the combination or the implementation refused it."""
        return self.outcome not in (IMPOSSIBLE, EXCLUDED, NOT_ASKED)


@dataclass(frozen=True)
class Line:
    """A row or a column: the axis values and their label."""

    values: Mapping[str, Any]
    label: str


@dataclass(frozen=True)
class Sweep:
    """The combinations of one scenario: each row's instance with each column's rescue image."""

    scenario: Scenario
    rows: tuple[Line, ...]
    columns: tuple[Line, ...]

    @classmethod
    def of(cls, scenario: Scenario) -> Sweep:
        """Return the sweep over a scenario's ``sweep`` and ``matrix`` axes.

        Raises:
            ScenarioError: the scenario has no ``sweep``.
        """
        if scenario.sweep is None:
            raise ScenarioError(
                f"{scenario.name} has no key 'sweep'", hint="docs/reference/scenarios.md says how to name its free keys"
            )
        whole = matrix_with_sweep(scenario)
        axes = {} if whole.matrix is None else whole.matrix.axes
        of_instance = {key: values for key, values in axes.items() if key.split(".")[0] in OF_INSTANCE}
        others = {key: values for key, values in axes.items() if key not in of_instance}
        return cls(whole, _lines(of_instance), _lines(others))

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def cells(self, planner: Planner, implementation: Implementation) -> Iterator[Cell]:
        """Yield every cell, row by row.

        Raises:
            HostExhaustedError: the host has run out of something.
        """
        images = [self._image(column) for column in self.columns]
        for number, row in enumerate(self.rows):
            yield from self._row(number, row, images, planner, implementation)

    def _row(
        self,
        number: int,
        row: Line,
        images: Sequence[RescueImage],
        planner: Planner,
        implementation: Implementation,
    ) -> Iterator[Cell]:
        planned: PlannedInstance | None = None
        trouble = self._impossible(row)
        for column, image in enumerate(images):
            reason = exclusion_reason(self.scenario, {**row.values, **self.columns[column].values})
            if reason is not None:
                yield Cell(number, column, EXCLUDED, reason)
                continue
            if isinstance(trouble, str):
                yield Cell(number, column, IMPOSSIBLE, trouble)
                continue
            scenario = trouble.model_copy(update={"rescue_image": image})
            if problems := list(image_problems(scenario)):
                yield Cell(number, column, IMPOSSIBLE, _joined(problems))
                continue
            try:
                planned = planned or planner.plan_instance(implementation, trouble)
                plan = planner.plan_rescue(implementation, planned, image)
            except NotAskedError as error:
                yield Cell(number, column, NOT_ASKED, error.message)
                continue
            except Refused as refused:  # the instance itself; of the harness's own it is a gap in its checks
                yield _refused(
                    number, column, refused, is_good=_is_expected(scenario, planner, implementation, refused)
                )
                continue
            except HostExhaustedError:
                raise
            except HostError as error:
                yield Cell(number, column, VerdictName.ERROR, error.message, is_good=False)
                continue
            yield _cell(number, column, scenario, plan, planner.versions, is_foreign=implementation.is_foreign)

    def _impossible(self, row: Line) -> str | Scenario:
        """Return the row's scenario, or a sentence on why the instance cannot exist."""
        try:
            scenario = Scenario.model_validate(data_at(self.scenario, row.values))
        except ValidationError as error:
            return "; ".join(str(detail["msg"]) for detail in error.errors())
        return _joined(check_instance(scenario)) or scenario

    def _image(self, column: Line) -> RescueImage:
        data = data_at(self.scenario, column.values).get("rescue_image", {})
        return RescueImage.model_validate(data)


def _joined(problems: Sequence[Problem]) -> str:
    return "; ".join(str(problem) for problem in problems)


def _is_expected(scenario: Scenario, planner: Planner, implementation: Implementation, refused: Refused) -> bool:
    """Return whether the scenario expects the refusal of its instance."""
    expectation = applicable_expectation(scenario, {**planner.versions, **conditions_of(implementation)})
    return meets(expectation, VerdictName.REFUSED, (), refused, level=Level.PLAN) is None


def _refused(row: int, column: int, refused: Refused, *, is_good: bool) -> Cell:
    detail = refused.reason if is_good else f"{refused.reason}; {NOT_DUE}"
    return Cell(row, column, VerdictName.REFUSED, detail, Refusal.of(refused), is_good=is_good)


def _cell(
    row: int, column: int, scenario: Scenario, plan: Plan, versions: Mapping[str, str], *, is_foreign: bool
) -> Cell:
    if plan.refusal is not None and plan.verdict is not VerdictName.UNFIT:
        is_good = not plan.mismatch(scenario, versions) or is_due(plan, is_foreign=is_foreign)
        return _refused(row, column, plan.refusal, is_good=is_good)
    is_good = plan.verdict is VerdictName.STABLE or not plan.mismatch(scenario, versions)
    detail = plan.outcome.unfit or "; ".join(finding.sentence for finding in plan.findings)
    return Cell(row, column, plan.verdict, detail, is_good=is_good)


def _lines(axes: Mapping[str, Sequence[Any]]) -> tuple[Line, ...]:
    return tuple(
        Line(dict(zip(axes, values, strict=True)), "-".join(label_of(value) for value in values) or "as written")
        for values in itertools.product(*axes.values())
    )
