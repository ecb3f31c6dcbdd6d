"""Run a case: boot each state, collect, compare, record."""

from __future__ import annotations

import time
import traceback
from concurrent.futures import CancelledError
from contextlib import suppress

import libvirt

from harness.errors import HarnessError, HostError, Refused, disk_error
from harness.implementation.protocol import conditions_of
from harness.instance.preparation import prepared_instance, prepared_machine
from harness.level.guest import BootedInstance
from harness.level.machine import BuiltMachine
from harness.level.outcome import Outcome, Progress
from harness.level.planner import Planner, plan_case
from harness.level.sequence import carry_out
from harness.reading.cases import Case
from harness.reading.expectation import applicable_expectation
from harness.result.case_result import CaseResult, Failure, Refusal
from harness.result.folders import CaseFolder, utc_now
from harness.run.session import Session
from harness.scenario.words import Level, VerdictName
from harness.verdict.coverage import claim_statuses
from harness.verdict.outcome import meets


def run_case(case: Case, session: Session, progress: Progress = lambda _phase: None) -> CaseResult:
    """Run a case to its result, which also records everything that goes wrong with the case.

    Raises:
        HostError: the folder for the case's artefacts cannot be made.
        CancelledError: the run was interrupted.
    """
    started, started_at = time.monotonic(), utc_now()
    folder = session.folder.case_folder(case.id)
    outcome = Outcome()
    implementation = session.implementations[case.implementation]
    expectation = None
    try:
        known = session.hypervisor.versions | conditions_of(implementation)
        expectation = applicable_expectation(case.point.scenario, known)
        if missing := implementation.lacks(case.point.scenario.instance, case.level):
            raise missing
        _carry_out(case, session, folder, progress, outcome)
    except Refused as refused:  # the instance itself was refused, before any rescue
        outcome.refusal = refused
    except HarnessError as error:
        outcome.failure = _failure(error, error)
    except OSError as error:
        outcome.failure = _failure(disk_error(error, session.hypervisor.root.path), error)
    except libvirt.libvirtError as error:
        outcome.failure = _failure(HostError(f"libvirt: {error}"), error)
    except Exception as error:  # noqa: BLE001 - a defect in one case must not lose the others
        _write_traceback(folder)
        outcome.failure = Failure(
            kind="HarnessDefect", message=f"the harness failed: {error!r}; traceback.txt beside the result has more"
        )
    if session.hypervisor.cancelled.is_set():
        raise CancelledError
    verdict = outcome.verdict
    mismatch = (
        None
        if expectation is None
        else meets(expectation, verdict, outcome.all_findings, outcome.refusal, unfit=outcome.unfit, level=case.level)
    )
    compared = verdict in (VerdictName.STABLE, VerdictName.MOVED)
    result = CaseResult(
        case=case.id,
        scenario=case.point.scenario.name,
        summary=case.point.scenario.summary,
        file=str(case.file),
        values=case.point.values,
        implementation=case.implementation,
        level=case.level,
        repetition=case.repetition,
        verdict=verdict,
        expectation=expectation,
        as_expected=expectation is not None and mismatch is None,
        mismatch=mismatch.sentences if mismatch else (),
        findings=outcome.all_findings,
        additions=outcome.additions,
        claims=claim_statuses(case.level, outcome.findings, outcome.not_told) if compared else (),
        refusal=None if outcome.refusal is None else Refusal.of(outcome.refusal),
        unfit=outcome.unfit,
        failure=outcome.failure,
        boots=tuple(outcome.boots),
        accelerator=session.hypervisor.accelerator.reason,
        versions=session.hypervisor.versions | outcome.versions | implementation.versions,
        started_at=started_at,
        elapsed_s=round(time.monotonic() - started, 3),
        artefacts=folder.path.name,
    )
    try:
        session.folder.add(result)
    except HostError as error:
        failure = Failure(kind="HostError", message=str(error))
        return result.model_copy(update={"verdict": VerdictName.ERROR, "as_expected": False, "failure": failure})
    return result


def _failure(told: HarnessError, error: Exception) -> Failure:
    """Return an error as the user sees it, with the notes that were added to it on its way."""
    return Failure(kind=type(told).__name__, message="\n  ".join([str(told), *getattr(error, "__notes__", ())]))


def _carry_out(case: Case, session: Session, folder: CaseFolder, progress: Progress, outcome: Outcome) -> None:
    """Bring a case through the sequence of its level."""
    scenario = case.point.scenario
    match case.level:
        case Level.PLAN:
            progress(str(Level.PLAN))
            planner = Planner(session.hypervisor.connection, session.hypervisor.emulator)
            plan_case(case, session.implementations[case.implementation], planner, folder, outcome)
        case Level.MACHINE:
            with prepared_machine(case, session) as paused:
                machine = BuiltMachine(paused, folder, progress)
                carry_out(machine, scenario.steps, outcome, progress)
        case Level.GUEST:
            with prepared_instance(case, session) as ready:
                guest = BootedInstance(ready, session.control_boots, folder, progress, outcome)
                carry_out(guest, scenario.steps, outcome, progress, while_rescued=scenario.while_rescued)


def _write_traceback(folder: CaseFolder) -> None:
    with suppress(HostError):
        folder.write("traceback.txt", traceback.format_exc())
