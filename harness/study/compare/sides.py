"""The two Novas of a gate, and the same cases on both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ScenarioError
from harness.hypervisor.roots import held_root
from harness.implementation.nova.checkout import UNKNOWN_VERSION, checkout_version, described_version, packaged_version
from harness.implementation.nova.environments import NovaEnvironment
from harness.implementation.nova.implementation import Nova
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import Case
from harness.reading.expectation import applicable_expectation
from harness.run.on_ramp import OpenRun
from harness.run.pool import Observer
from harness.scenario.words import VerdictName
from harness.study.compare.borrowed import borrow
from harness.study.compare.case_comparison import Comparison, compare
from harness.study.compare.case_outcome import CaseOutcome, outcome_of
from harness.study.compare.change_base import Base, export

Outcomes = Mapping[str, CaseOutcome]


@dataclass(frozen=True)
class Sides:
    """The environments of the two Novas that are compared."""

    base: NovaEnvironment
    change: NovaEnvironment


@contextmanager
def sides_of(top: Path, base: Base, lender: NovaEnvironment) -> Iterator[Sides]:
    """Make both sides, with the lender's libraries; the base's files are in a folder that is removed at the end.

    The folder is below one of the hypervisor's roots. If a gate is killed, the next process that takes the root finds
    the folder and removes it, as does ``rescue-harness clean``.

    Raises:
        ScenarioError: the base is not a Nova.
        HostError: the base's files cannot be written.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(held_root()).work_path
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        source = folder / "base"
        export(top, base.commit, source)
        version = packaged_version(source) or described_version(top, base.commit) or UNKNOWN_VERSION
        of_base = borrow(
            lender, source, folder / "environment-of-base", shown_as=f"{top}@{base.short}", version=version
        )
        if lender.record.target == str(top):
            yield Sides(of_base, lender)
            return
        of_change = borrow(
            lender, top, folder / "environment-of-change", shown_as=str(top), version=checkout_version(top)
        )
        yield Sides(of_base, of_change)


def cases_on(cases: Sequence[Case], implementation: Implementation) -> list[Case]:
    """Return the reference's cases with another implementation."""
    name = implementation.name
    return [case.model_copy(update={"id": f"{case.id}@{name}", "implementation": name}) for case in cases]


def run_on(cases: Sequence[Case], novas: Sequence[Nova], run: OpenRun, observer: Observer) -> list[Outcomes]:
    """Run the cases on each Nova, the same case on both side by side; return each Nova's outcomes by case id.

    Raises:
        HostError: a result cannot be written.
        CancelledError: the run was interrupted.
    """
    rows = list(zip(*(cases_on(cases, nova) for nova in novas), strict=True))
    flat = [case for row in rows for case in row]
    with run.pool(flat, observer) as pool:
        outcomes = [outcome_of(pool.result(index)) for index in range(len(flat))]
    return [
        {case.id: outcome for case, outcome in zip(cases, outcomes[number :: len(novas)], strict=True)}
        for number in range(len(novas))
    ]


def comparisons_of(
    cases: Sequence[Case], base: Outcomes, change: Outcomes, versions: Mapping[str, str]
) -> tuple[Comparison, ...]:
    """Return the comparison of each case."""
    return tuple(
        compare(case.id, base[case.id], change[case.id], is_refusal_right=_is_refusal_right(case, versions))
        for case in cases
    )


def _is_refusal_right(case: Case, versions: Mapping[str, str]) -> bool:
    try:
        wanted = applicable_expectation(case.point.scenario, {**versions, "implementation": Reference.name})
    except ScenarioError:
        return False  # a scenario that is about Nova only
    return wanted.verdict is VerdictName.REFUSED
