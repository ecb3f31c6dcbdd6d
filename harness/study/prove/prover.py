"""Red means red: a prover tries faults on the shipped suite, each at every level down to its own.

Each fault is tried on the whole suite at level plan. A deeper fault is also tried on its own case, at every level down
to its own. Findings of the unbroken reference on the same case at the same level do not count for the fault, and must
be as expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError, Refused
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.level.plan import Plan
from harness.level.planner import Planner, open_planner
from harness.reading.cases import Case
from harness.result.case_result import CaseResult
from harness.run.engine import run_case
from harness.run.on_ramp import RunOptions, open_run
from harness.run.session import Session
from harness.scenario.words import Level
from harness.study.prove.faults import Broken, Fault
from harness.study.prove.faults.draft import NotApplicable
from harness.study.prove.proof import Control, Proof, Trial
from harness.verdict.finding import Finding

Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Planned:
    """The reference's plan of a case, to compare a broken plan with."""

    case: Case
    plan: Plan


class Prover:
    """Tries faults on cases of the reference: plans their domains and, beyond level plan, runs them in ``session``."""

    def __init__(
        self, cases: Sequence[Case], planner: Planner, *, depth: Level = Level.PLAN, session: Session | None = None
    ) -> None:
        self._cases = {case.id: case for case in cases}
        self._planner = planner
        self._session = session
        self._depth = depth
        self._planned: list[_Planned] = []
        self._controls: dict[tuple[str, Level], Control] = {}
        self._reference_findings: dict[tuple[str, Level], tuple[Finding, ...]] = {}

    def prove(self, faults: Sequence[Fault], progress: Progress = lambda _text: None) -> Iterator[Proof]:
        """Try each fault in turn.

        Raises:
            Refused: libvirt does not accept an instance of the reference's.
            CancelledError: the run was interrupted.
        """
        for case in self._cases.values():
            if case.level is Level.PLAN and (case.id, Level.PLAN) not in self._controls:
                progress(f"reference: {case.id}")
                self._plan_reference(case)
        for fault in faults:
            yield Proof(fault, self._depth, tuple(self._trials(fault, progress)))

    @property
    def controls(self) -> tuple[Control, ...]:
        """The reference's control for every case that a fault was tried on."""
        return tuple(self._controls.values())

    def _plan_reference(self, case: Case) -> None:
        plan = self._planner.plan(case, Reference())
        mismatch = plan.mismatch(case.point.scenario, self._planner.versions)
        self._controls[case.id, Level.PLAN] = Control(case.id, Level.PLAN, mismatch)
        if plan.refusal is None:
            self._planned.append(_Planned(case, plan))

    def _trials(self, fault: Fault, progress: Progress) -> Iterator[Trial]:
        progress(fault.name)
        for planned in self._planned:
            trial = self._plan_broken(fault, planned)
            if trial is not None:
                yield trial
        if fault.case is None:
            return
        for level in (Level.MACHINE, Level.GUEST):
            if level.is_within(self._depth) and level.is_within(fault.level):
                yield self._run_broken(fault, self._cases[fault.case], level, progress)

    def _plan_broken(self, fault: Fault, reference: _Planned) -> Trial | None:
        """Plan a case with a fault.

        Return None if the fault has nothing to break, or if libvirt completes the broken domain to the reference's.
        """
        case, planned = reference.case, reference.plan.planned
        broken = Broken(fault)
        try:
            if fault.normal is not None:
                planned = self._planner.plan_instance(broken, case.point.scenario)
            plan = self._planner.plan_rescue(broken, planned, reference.plan.image)
        except NotApplicable:
            return None
        except Refused as refused:
            return Trial(case.id, Level.PLAN, trouble="refused", reason=refused.reason)
        except HostError as error:
            if fault.normal is None:
                raise
            # The scenario's steps want what the fault has taken from the instance.
            return Trial(case.id, Level.PLAN, trouble="refused", reason=error.message)
        if isinstance(plan.refusal, NotApplicable) or plan.xml_by_state == reference.plan.xml_by_state:
            return None
        refusal = plan.refusal or plan.refused_unrescue
        if refusal is not None:
            return Trial(case.id, Level.PLAN, trouble="refused", reason=refusal.reason)
        return Trial(case.id, Level.PLAN, _beyond(reference.plan.findings, plan.findings))

    def _run_broken(self, fault: Fault, case: Case, level: Level, progress: Progress) -> Trial:
        known = self._run_reference(case, level, progress)
        result = self._run(case, f"{case.id} {fault.name} {level}", Broken(fault), level, progress)
        if result.failure is not None:
            return Trial(case.id, level, trouble="error", reason=result.failure.message)
        if result.refusal is not None and not fault.refuses:
            return Trial(case.id, level, trouble="refused", reason=result.refusal.reason)
        return Trial(case.id, level, _beyond(known, result.findings))

    def _run_reference(self, case: Case, level: Level, progress: Progress) -> tuple[Finding, ...]:
        if (case.id, level) not in self._controls:
            result = self._run(case, f"{case.id} reference {level}", Reference(), level, progress)
            failed = result.failure is not None
            mismatch = () if result.as_expected else result.sentences() if failed else result.mismatch
            self._controls[case.id, level] = Control(case.id, level, mismatch, failed)
            self._reference_findings[case.id, level] = result.findings
        return self._reference_findings[case.id, level]

    def _run(
        self, case: Case, case_id: str, implementation: Implementation, level: Level, progress: Progress
    ) -> CaseResult:
        if self._session is None:
            raise ValueError(f"level {level} takes a session")
        self._session.implementations.add(implementation)
        tried = case.model_copy(update={"id": case_id, "implementation": implementation.name, "level": level})
        return run_case(tried, self._session, lambda phase: progress(f"{case_id}: {phase}"))


@contextmanager
def open_prover(
    cases: Sequence[Case], depth: Level, results: Path, *, progress: Progress = lambda _text: None
) -> Iterator[Prover]:
    """Open a prover on a hypervisor of its own; beyond level plan its runs leave artefacts below ``results``.

    Raises:
        HostError: QEMU or libvirt is missing or does not work, or images cannot be built.
    """
    if depth is Level.PLAN:
        with open_planner() as planner:
            yield Prover(cases, planner)
        return
    # No control boots: no fault changes a kernel name and leaves the address intact.
    with open_run(RunOptions(results, depth, control_boots=0), progress=progress) as run:
        hypervisor = run.session.hypervisor
        yield Prover(cases, Planner(hypervisor.connection, hypervisor.emulator), depth=depth, session=run.session)


def _beyond(known: Sequence[Finding], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.cause == "rescue" and finding not in known)
