"""Each trouble is put down to whoever is behind it: the rescue, the implementation, the instance or the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import GuestAfter
from harness.image.command import run
from harness.implementation.protocol import Implementation, RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.result.case_result import CaseResult
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import Level, VerdictName

from .support.cases import case_with
from .support.implementations import InvalidInstance, InvalidUnrescue, MissingRescueDisk

RESCUE_BOOTS_NOTHING = ("booted-from-rescue", "rescue", "rescue", "nothing")


def keys(result: CaseResult) -> set[tuple[str, str, str, str]]:
    return {(str(each.claim), each.device, each.before, each.after) for each in result.findings}


def test_a_rescue_that_qemu_does_not_start_has_moved(own_session: Session, minimal: Path) -> None:
    case = case_with(MissingRescueDisk(), minimal, own_session, level=Level.MACHINE)
    result = run_case(case, own_session)
    assert (result.verdict, result.failure) == (VerdictName.MOVED, None)
    assert RESCUE_BOOTS_NOTHING in keys(result)
    assert "does not start" in next(each.message for each in result.findings if each.device == "rescue")
    assert not own_session.hypervisor.connection.listAllDomains()


@pytest.mark.parametrize("level", [Level.PLAN, Level.MACHINE])
def test_an_instance_that_libvirt_refuses_is_the_implementations(
    own_session: Session, minimal: Path, level: Level
) -> None:
    result = run_case(case_with(InvalidInstance(), minimal, own_session, level=level), own_session)
    assert (result.verdict, result.as_expected) == (VerdictName.REFUSED, False)
    assert result.refusal is not None
    assert (result.refusal.refused_by, result.refusal.guest) == ("libvirt", GuestAfter.NEVER_MADE)
    assert result.refusal.reason.startswith("the instance itself: ")


@pytest.mark.parametrize("level", [Level.PLAN, Level.MACHINE])
def test_an_unrescue_that_libvirt_refuses_is_the_implementations(
    own_session: Session, minimal: Path, level: Level
) -> None:
    result = run_case(case_with(InvalidUnrescue(), minimal, own_session, level=level), own_session)
    assert (result.verdict, result.failure) == (VerdictName.MOVED, None)
    assert keys(result) == {("restored", "instance", "rescued", "off")}


class _BlankRescueDisk(Reference):
    """Empties the rescue disk, and then the rescued guest boots nothing."""

    name = "blank-rescue-disk"

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        _empty(running.placement.sources["rescue"].path)
        return super().rescued(running, image)


def _empty(path: Path) -> None:
    run("qemu-img", "create", "-q", "-f", "qcow2", path, "1M")


def _run(implementation: Implementation, minimal: Path, session: Session) -> CaseResult:
    return run_case(case_with(implementation, minimal, session), session)


def test_a_blank_rescue_disk_is_a_finding_and_the_instance_is_given_back(own_session: Session, minimal: Path) -> None:
    result = _run(_BlankRescueDisk(), minimal, own_session)
    assert (result.verdict, result.failure) == (VerdictName.MOVED, None)
    assert keys(result) == {RESCUE_BOOTS_NOTHING}
    assert [boot.state for boot in result.boots] == ["normal", "unrescued"]
    assert (own_session.folder.path / result.artefacts / "rescued" / "console.log").is_file()
