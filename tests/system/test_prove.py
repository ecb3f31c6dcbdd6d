"""Red means red: faults are caught at the level that they claim, through the real command and in real guests."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, collect_cases
from harness.result.case_result import CaseResult
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.study.prove.faults import FAULTS, Broken, Fault
from harness.study.prove.faults.draft import Draft

from .conftest import CommandLine

# Two that are not caught: the one makes no difference, the other one that its claim is not about.
UNCAUGHT = """\
import harness.study.prove.faults
from harness.study.prove.faults import Fault
from harness.scenario.words import ClaimName
from lxml import etree

def nothing(draft):
    pass

def title(draft):
    etree.SubElement(draft.root, "title").text = "rescued"

harness.study.prove.faults.FAULTS = (
    Fault("idle", "nothing is broken", ClaimName.NAMES, rescued=nothing),
    Fault("title", "the domain has a title", ClaimName.NAMES, rescued=title),
)
from harness.commands.main import main
main(["prove"])
"""


def test_every_fault_down_to_level_machine_is_caught_and_no_deeper_one_is_noticed(command_line: CommandLine) -> None:
    """Those of level guest are tried on their own cases as well: there they can be made, and change nothing yet."""
    done = command_line.run("prove", "--level", "machine", timeout_s=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    deepest = [fault for fault in FAULTS if fault.level is Level.GUEST]
    caught = len(FAULTS) - len(deepest)
    assert f"{caught} of {caught} faults caught" in done.stdout
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert all(("left out" if fault in deepest else "✓") in rows[fault.name] for fault in FAULTS)
    assert "rescue-harness prove --level guest" in done.stdout


def test_fault_that_nobody_catches_is_told(command_line: CommandLine) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNCAUGHT],
        env=command_line.environment,
        cwd=command_line.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "idle made no difference to any case" in done.stdout
    assert "title was not noticed by names; " in done.stdout
    assert "0 of 2 faults caught" in done.stdout


def test_keyword_that_matches_no_fault_is_the_users_error(command_line: CommandLine) -> None:
    done = command_line.run("prove", "-k", "no-such-fault")
    assert done.returncode == 2
    assert "no fault matches" in done.stderr


def fault(name: str) -> Fault:
    return next(each for each in FAULTS if each.name == name)


def run_broken(broken: Fault, session: Session) -> CaseResult:
    case = next(case for case in collect_cases([SHIPPED_SUITE], Reference()) if case.id == broken.case)
    implementation = Broken(broken)
    session.implementations.add(implementation)
    changed = {"id": f"{case.id} {broken.name}", "implementation": implementation.name, "level": broken.level}
    return run_case(case.model_copy(update=changed), replace(session, control_boots=0))


@pytest.mark.parametrize("name", ["volume-emptied", "written-data-lost"])
def test_deeper_fault_is_caught_by_its_claim(session: Session, name: str) -> None:
    broken = fault(name)
    result = run_broken(broken, session)
    assert result.verdict is VerdictName.MOVED, result.sentences()
    assert broken.claim in {finding.claim for finding in result.findings if finding.cause == "rescue"}


def test_a_limit_is_seen_in_the_definition_and_in_qemu(session: Session) -> None:
    """Level machine compares what level plan does, and what QEMU made of it."""
    case = fault("volume-grown").case
    result = run_broken(replace(fault("volume-throttled"), level=Level.MACHINE, case=case), session)
    seen = {(finding.claim, finding.before, finding.after) for finding in result.findings}
    assert {
        (ClaimName.IDENTITY, "iotune/total_iops_sec none", "iotune/total_iops_sec 100"),
        (ClaimName.IDENTITY, "iops 0", "iops 100"),
    } <= seen


def test_a_guest_is_not_all_that_is_looked_at(session: Session) -> None:
    """Neither a limit nor bytes that nobody reads show in a guest."""
    stray, throttled = fault("stray-write-of-the-rescue"), fault("volume-throttled")

    def both(draft: Draft) -> None:
        for each in (stray, throttled):
            assert each.rescued is not None
            each.rescued(draft)

    result = run_broken(replace(stray, rescued=both), session)
    assert {finding.claim for finding in result.findings} == {ClaimName.IDENTITY, ClaimName.DATA}
