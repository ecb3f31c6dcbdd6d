"""Exploration: plan random scenarios by the hundred, run a sample at deeper levels, and make a failure small.

The seed decides the scenarios, their order and the sample. The budget decides how many of them a run tries.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from ruamel.yaml import YAML

from harness.errors import HarnessError, HostError, HostExhaustedError, Refused
from harness.implementation.protocol import Implementation
from harness.level.planner import Planner
from harness.reading.cases import Case
from harness.reading.checks.instance_checks import check
from harness.reading.matrix import Point
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.models import Scenario
from harness.scenario.words import Level, Role, VerdictName
from harness.study.due_refusals import is_due
from harness.study.explore.random_scenarios import random_scenarios

T = TypeVar("T")
ROUND = 100
"""The number of scenarios planned in a round; the budget is checked between rounds."""
PLAN_SHARE = 0.3
"""The share of the budget for planning if a deeper level is to have the rest."""


class FailingError(AssertionError):
    """A scenario that did not end as it should; hypothesis looks for a smaller one that fails as well."""


@dataclass(frozen=True)
class Failure:
    """A scenario, made as small as possible, that fails: the sentences on what was wrong, and the level."""

    scenario: Scenario
    level: Level
    sentences: tuple[str, ...]


@dataclass
class Exploration:
    """The scenarios tried so far, and their outcomes."""

    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    run_at: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    sample: list[Scenario] = field(default_factory=list)


def plan_problem(planner: Planner, implementation: Implementation, scenario: Scenario) -> tuple[str, tuple[str, ...]]:
    """Plan a scenario; return the outcome at level plan and sentences on what is not as expected.

    Raises:
        HostExhaustedError: the host has run out of something.
    """
    try:
        planned = planner.plan_instance(implementation, scenario)
        plan = planner.plan_rescue(implementation, planned, scenario.rescue_image)
    except Refused as refused:
        return str(VerdictName.REFUSED), (refused.sentence,)
    except HostExhaustedError:
        raise
    except HostError as error:
        return str(VerdictName.ERROR), (error.message,)
    mismatch = plan.mismatch(scenario, planner.versions)
    return str(plan.verdict), () if is_due(plan, is_foreign=implementation.is_foreign) else mismatch


def explore_plans(
    exploration: Exploration, planner: Planner, implementation: Implementation, *, ends: float
) -> Iterator[Exploration]:
    """Plan random scenarios in rounds until ``ends``, a time of the monotonic clock; a failure ends its round.

    Raises:
        HostExhaustedError: the host has run out of something.
    """
    choice = Random(exploration.seed)  # noqa: S311 - a sample, not a secret
    rounds = Random(f"rounds of {exploration.seed}")  # noqa: S311 - so that the next seed has other rounds
    while True:
        failing = _plan_round(exploration, planner, implementation, rounds.getrandbits(32), choice)
        if failing is not None:
            exploration.failures.append(failing)
        yield exploration
        if time.monotonic() > ends or failing is not None:
            return


def _plan_round(
    exploration: Exploration, planner: Planner, implementation: Implementation, seed: int, choice: Random
) -> Failure | None:
    found: list[Failure] = []
    exhausted: list[HostExhaustedError] = []

    def try_one(scenario: Scenario) -> None:
        outcome, sentences = "", tuple[str, ...]()
        try:
            if not exhausted:
                outcome, sentences = plan_problem(planner, implementation, scenario)
        except HostExhaustedError as error:
            exhausted.append(error)
        if exhausted:  # hypothesis repeats a failure, and takes errors from two lines for two failures
            raise FailingError
        if sentences:
            found.append(Failure(scenario, Level.PLAN, sentences))
            raise FailingError(sentences[0])
        if not found:
            exploration.outcomes[outcome] += 1
            if outcome == VerdictName.STABLE and choice.random() < 1 / 20:
                exploration.sample.append(scenario)

    rules = settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    with suppress(FailingError):
        hypothesis.seed(seed)(rules(given(random_scenarios())(try_one)))()
    if exhausted:
        raise exhausted[0]
    return found[-1] if found else None


def explore_deeper(
    exploration: Exploration,
    session: Session,
    implementation: Implementation,
    levels: tuple[Level, ...],
    *,
    ends: float,
    progress: Callable[[str], None],
) -> None:
    """Run the sample at each level in turn until ``ends``; make the first failure small and keep it.

    Raises:
        HostExhaustedError: the host has run out of something.
    """
    for number, scenario in enumerate(exploration.sample, start=1):
        for level in levels:
            if time.monotonic() > ends:
                return
            progress(f"{level}: scenario {number} of the sample")
            problem = _problem(scenario, level, session, implementation)
            exploration.run_at[str(level)] += 1
            if problem is not None:
                progress(f"{level}: making a failure small")
                try_one = partial(_problem, level=level, session=session, implementation=implementation)
                smaller, left = smallest(scenario, problem, try_one, ends)
                exploration.failures.append(Failure(smaller, level, left.sentences))
                return


def _is_due(scenario: Scenario, session: Session, implementation: Implementation) -> bool:
    """Return whether the refusal of a scenario's rescue shows at level plan, and has to be."""
    hypervisor = session.hypervisor
    try:
        planner = Planner(hypervisor.connection, hypervisor.emulator)
        plan = planner.plan_rescue(
            implementation, planner.plan_instance(implementation, scenario), scenario.rescue_image
        )
    except HarnessError:
        return False
    return is_due(plan, is_foreign=implementation.is_foreign)


@dataclass(frozen=True)
class Problem:
    """Sentences on what was wrong with a scenario, and their subjects.

    A smaller scenario fails alike if it shares a subject.
    """

    subjects: frozenset[str]
    sentences: tuple[str, ...]


def _problem(scenario: Scenario, level: Level, session: Session, implementation: Implementation) -> Problem | None:
    name = f"explored-{_digest(scenario)}"
    point = Point(id=name, values={}, scenario=scenario.model_copy(update={"name": name}))
    case = Case(id=name, file=Path(f"{name}.yaml"), point=point, implementation=implementation.name, level=level)
    result = run_case(case, session)
    if result.as_expected or (result.verdict is VerdictName.REFUSED and _is_due(scenario, session, implementation)):
        return None
    if result.failure is not None and result.failure.kind == HostExhaustedError.__name__:
        raise HostExhaustedError(result.failure.message)
    subjects = {f"{finding.cause}: {finding.claim}" for finding in result.findings}
    if result.failure is not None:
        subjects = {result.failure.kind}
    if result.verdict is VerdictName.REFUSED:
        subjects = {str(VerdictName.REFUSED)}
    if result.unfit is not None:
        subjects.add(str(VerdictName.UNFIT))
    return Problem(frozenset(subjects), (*result.sentences_beside_mismatch, *result.told_mismatch))


def smallest(
    scenario: Scenario, problem: Problem, try_one: Callable[[Scenario], Problem | None], ends: float
) -> tuple[Scenario, Problem]:
    """Remove steps, disks and properties one by one while the scenario still fails alike and time is left.

    Two scenarios fail alike if the same claim breaks, or if the error is of the same kind. Return the smallest scenario
    and its problem.
    """
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _smaller(scenario):
            if time.monotonic() > ends:
                return scenario, problem
            found = try_one(smaller)
            if found is not None and found.subjects & problem.subjects:
                scenario, problem, shrinking = smaller, found, True
                break
    return scenario, problem


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    instance = scenario.instance
    for index in range(len(scenario.steps)):
        yield from _checked(scenario.model_copy(update={"steps": _without(scenario.steps, index)}))
    for index, disk in enumerate(instance.disks):
        if disk.role is not Role.ROOT:
            yield from _valid(scenario, {"disks": _without(instance.disks, index)})
    for index in range(len(instance.nics)):
        yield from _valid(scenario, {"nics": _without(instance.nics, index)})
    for key in sorted(instance.properties.model_fields_set):
        kept = instance.properties.model_dump(exclude_unset=True, exclude={key})
        yield from _valid(scenario, {"properties": type(instance.properties).model_validate(kept)})


def _valid(scenario: Scenario, update: dict[str, object]) -> Iterator[Scenario]:
    yield from _checked(scenario.model_copy(update={"instance": scenario.instance.model_copy(update=update)}))


def _checked(scenario: Scenario) -> Iterator[Scenario]:
    if not check(scenario):
        yield scenario


def _without(items: tuple[T, ...], index: int) -> tuple[T, ...]:
    return items[:index] + items[index + 1 :]


def _digest(scenario: Scenario) -> str:
    return hashlib.sha256(scenario.model_dump_json(exclude={"name", "summary"}).encode()).hexdigest()[:8]


def scenario_file(failure: Failure, seed: int) -> tuple[str, str]:
    """Return the name and the text of a scenario file that fails as the exploration did."""
    name = f"explored-{_digest(failure.scenario)}"
    data = failure.scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    data |= {"name": name, "summary": f"Found at random with seed {seed}: {failure.sentences[0]}"}
    if failure.level is not Level.PLAN:
        data["level"] = str(failure.level)
    text = io.StringIO()
    YAML().dump({key: data[key] for key in sorted(data, key=_ORDER.index)}, text)
    return f"{name}.yaml", text.getvalue()


_ORDER = ("name", "summary", "links", "level", "instance", "steps", "rescue_image", "matrix", "sweep", "expect")
