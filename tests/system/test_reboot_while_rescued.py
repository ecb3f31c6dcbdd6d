"""A rescued guest that reboots itself, and does not come back: a cold boot of the same domain hides nothing."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from harness.result.case_result import CaseResult
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.words import ClaimName, VerdictName
from harness.study.prove.faults import Broken, Fault
from harness.study.prove.faults.draft import Draft

from .support.cases import case_with


def _ends_at_a_reboot(draft: Draft) -> None:
    for element in draft.root.findall("on_reboot"):
        draft.root.remove(element)
    etree.SubElement(draft.root, "on_reboot").text = "destroy"


_FAULT = Fault(
    "ends-at-a-reboot", "QEMU ends when the guest reboots", ClaimName.OTHER_HARDWARE, rescued=_ends_at_a_reboot
)


def keys(result: CaseResult) -> set[tuple[str, str, str]]:
    return {(str(each.claim), each.before, each.after) for each in result.findings}


def test_a_rescued_guest_that_ends_at_its_reboot_is_found_and_unrescued(own_session: Session, minimal: Path) -> None:
    minimal.write_text(f"{minimal.read_text()}while_rescued: [reboot]\n")
    result = run_case(case_with(Broken(_FAULT), minimal, own_session), own_session)
    assert (result.verdict, result.failure) == (VerdictName.MOVED, None)
    assert keys(result) == {
        ("booted-from-rescue", "rescue", "nothing"),
        ("other-hardware", "on_reboot restart", "on_reboot destroy"),
    }
    assert [str(boot.state) for boot in result.boots] == ["normal", "rescued", "unrescued"]
