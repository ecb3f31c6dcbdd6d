"""What counts as worse, case by case, and what of a result is compared."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from harness.errors import GuestAfter
from harness.report.terminal.gating import show_gate
from harness.result.case_result import CaseResult, Failure, Refusal
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.study.compare.case_comparison import Change, compare, tally
from harness.study.compare.case_outcome import CaseOutcome, Difference, outcome_of
from harness.study.compare.gate_record import GateRecord, Side, gate_schema
from harness.verdict.finding import Finding

USB = Difference(claim=ClaimName.OTHER_HARDWARE, device="usb", before="port 1", after="port 2")
ROOT = Difference(claim=ClaimName.NAMES, device="root", before="vda", after="vdb")
STABLE = CaseOutcome(verdict=VerdictName.STABLE)
MOVED = CaseOutcome(verdict=VerdictName.MOVED, findings=(USB,))
MOVED_FURTHER = CaseOutcome(verdict=VerdictName.MOVED, findings=(ROOT, USB))
MOVED_ELSEWHERE = CaseOutcome(verdict=VerdictName.MOVED, findings=(ROOT,))
REFUSED = CaseOutcome(verdict=VerdictName.REFUSED, refused_by="Nova", reason="bus xen is not supported")
REWORDED = CaseOutcome(verdict=VerdictName.REFUSED, refused_by="Nova", reason="xen is not supported")
BY_LIBVIRT = CaseOutcome(verdict=VerdictName.REFUSED, refused_by="libvirt", reason="no IDE; Nova has by then left")
GUEST_OFF = BY_LIBVIRT.model_copy(update={"guest": GuestAfter.SHUT_OFF})
POWERED_OFF = REFUSED.model_copy(update={"guest": GuestAfter.SHUT_OFF})
NO_GUEST = REFUSED.model_copy(update={"guest": GuestAfter.NEVER_MADE})
MOVED_THEN_REFUSED = REFUSED.model_copy(update={"verdict": VerdictName.MOVED, "findings": (USB,)})
MOVED_THEN_REWORDED = REWORDED.model_copy(update={"verdict": VerdictName.MOVED, "findings": (USB,)})
MOVED_THEN_OFF = POWERED_OFF.model_copy(update={"verdict": VerdictName.MOVED, "findings": (USB,)})
UNFIT = CaseOutcome(verdict=VerdictName.UNFIT, reason="booted from ephemeral0")
UNFIT_OTHERWISE = UNFIT.model_copy(update={"reason": "boots nothing"})
ERROR = CaseOutcome(verdict=VerdictName.ERROR, reason="the worker ended")


@pytest.mark.parametrize(
    ("base", "change", "kind"),
    [
        (STABLE, STABLE, Change.UNCHANGED),
        (MOVED, MOVED, Change.UNCHANGED),
        (REFUSED, REFUSED, Change.UNCHANGED),
        (STABLE, MOVED, Change.WORSE),
        (MOVED, MOVED_FURTHER, Change.WORSE),
        (MOVED, MOVED_ELSEWHERE, Change.WORSE),
        (MOVED_FURTHER, MOVED, Change.BETTER),
        (MOVED, STABLE, Change.BETTER),
        (STABLE, REFUSED, Change.WORSE),
        (MOVED, REFUSED, Change.WORSE),
        (STABLE, ERROR, Change.WORSE),
        (REFUSED, ERROR, Change.WORSE),
        (REFUSED, STABLE, Change.BETTER),
        (REFUSED, MOVED, Change.WORSE),
        (MOVED, MOVED_THEN_REFUSED, Change.WORSE),
        (MOVED_THEN_REFUSED, MOVED, Change.BETTER),
        (MOVED_THEN_REFUSED, MOVED_THEN_REWORDED, Change.OTHER),
        (MOVED_THEN_REFUSED, MOVED_THEN_OFF, Change.WORSE),
        (MOVED_THEN_OFF, MOVED_THEN_REFUSED, Change.BETTER),
        (GUEST_OFF, MOVED, Change.BETTER),
        (NO_GUEST, MOVED, Change.BETTER),
        (REFUSED, REWORDED, Change.OTHER),
        (REFUSED, BY_LIBVIRT, Change.OTHER),
        (BY_LIBVIRT, MOVED, Change.WORSE),
        (REFUSED, GUEST_OFF, Change.WORSE),
        (REFUSED, POWERED_OFF, Change.WORSE),
        (POWERED_OFF, REFUSED, Change.BETTER),
        (GUEST_OFF, REFUSED, Change.BETTER),
        (GUEST_OFF, NO_GUEST, Change.WORSE),
        (UNFIT, UNFIT, Change.UNCHANGED),
        (UNFIT, UNFIT_OTHERWISE, Change.OTHER),
        (STABLE, UNFIT, Change.WORSE),
        (REFUSED, UNFIT, Change.WORSE),
        (UNFIT, MOVED, Change.BETTER),
        (UNFIT, REFUSED, Change.BETTER),
        (ERROR, ERROR, Change.NOT_COMPARED),
        (ERROR, STABLE, Change.NOT_COMPARED),
    ],
)
def test_what_a_change_did(base: CaseOutcome, change: CaseOutcome, kind: Change) -> None:
    assert compare("case", base, change).kind is kind


@pytest.mark.parametrize(
    ("base", "change", "kind"),
    [
        (REFUSED, STABLE, Change.WORSE),
        (REFUSED, MOVED, Change.WORSE),
        (STABLE, REFUSED, Change.BETTER),
        (MOVED, REFUSED, Change.BETTER),
        (MOVED, GUEST_OFF, Change.WORSE),
        (GUEST_OFF, REFUSED, Change.BETTER),
        (GUEST_OFF, STABLE, Change.BETTER),
    ],
)
def test_what_a_change_did_where_the_rescue_should_be_refused(
    base: CaseOutcome, change: CaseOutcome, kind: Change
) -> None:
    assert compare("case", base, change, is_refusal_right=True).kind is kind


def test_each_side_says_what_only_it_has() -> None:
    compared = compare("case", MOVED_FURTHER, MOVED)
    assert (compared.new, compared.gone) == ((), ("names root: vda -> vdb",))
    compared = compare("case", MOVED, REFUSED)
    assert compared.new == ("refused by Nova: bus xen is not supported",)
    assert compared.gone == ("other-hardware usb: port 1 -> port 2",)


def test_what_a_refusal_left_is_told_first() -> None:
    assert str(GUEST_OFF) == f"refused by libvirt, guest off: {GUEST_OFF.reason}"
    assert str(NO_GUEST) == f"refused by Nova: {NO_GUEST.reason}"


def result(verdict: VerdictName, **further: object) -> CaseResult:
    values = {
        "case": "usb@nova:/src/nova",
        "scenario": "usb",
        "summary": "",
        "file": "usb.yaml",
        "values": {},
        "implementation": "nova:/src/nova",
        "level": Level.PLAN,
        "verdict": verdict,
        "expectation": None,
        "as_expected": False,
        "accelerator": "",
        "versions": {},
        "started_at": "",
        "elapsed_s": 0.0,
        "artefacts": "",
    }
    return CaseResult.model_validate({**values, **further})


def test_findings_are_compared_in_one_order_and_only_those_of_rescue() -> None:
    def finding(difference: Difference, cause: str = "rescue") -> Finding:
        return Finding.model_validate({**difference.model_dump(), "message": "", "cause": cause})

    seen = result(
        VerdictName.MOVED,
        findings=[finding(USB), finding(ROOT), finding(ROOT).model_copy(update={"device": "swap", "cause": "reboot"})],
    )
    assert outcome_of(seen) == MOVED_FURTHER


def test_reasons_are_compared_without_what_differs_from_run_to_run() -> None:
    reason = "nova:/src/nova has no /var/x/instances/0b2f0f1c-9a57-4a4a-9f0e-0123456789ab/disk of 'vda' in 4/5"
    refusal = Refusal(reason=reason, refused_by="Nova", guest=GuestAfter.SHUT_OFF)
    seen = outcome_of(result(VerdictName.REFUSED, refusal=refusal))
    assert (seen.reason, seen.guest) == ("Nova has no PATH of 'vda' in 4/5", GuestAfter.SHUT_OFF)
    seen = outcome_of(result(VerdictName.ERROR, failure=Failure(kind="HostError", message="nova:/src/nova: died")))
    assert seen == CaseOutcome(verdict=VerdictName.ERROR, reason="Nova: died")


def record(*pairs: tuple[CaseOutcome, CaseOutcome]) -> GateRecord:
    return GateRecord(
        checkout="/src/nova",
        reference="origin/master",
        base=Side(implementation="nova:/src/nova@0123456789", commit="0123456789", version="34.0.0"),
        change=Side(implementation="nova:/src/nova", commit="9876543210", version=None),
        is_dirty=False,
        requirements_differ=False,
        environment="nova:/src/nova",
        level=Level.PLAN,
        versions={"libvirt": "9.0.0"},
        comparisons=tuple(compare(f"case-{number}", *pair) for number, pair in enumerate(pairs)),
    )


@pytest.mark.parametrize(
    ("pairs", "code", "counted"),
    [
        ([(STABLE, STABLE), (MOVED, STABLE)], 0, "0 worse, 1 better, 1 unchanged"),
        ([(REFUSED, REWORDED)], 0, "0 worse, 0 better, 0 unchanged, 1 otherwise different"),
        ([(STABLE, MOVED), (MOVED, STABLE)], 1, "1 worse, 1 better, 0 unchanged"),
        ([(STABLE, MOVED), (ERROR, STABLE)], 1, "1 worse, 0 better, 0 unchanged, 1 not compared"),
        ([(STABLE, STABLE), (ERROR, STABLE)], 3, "0 worse, 0 better, 1 unchanged, 1 not compared"),
    ],
)
def test_only_what_became_worse_fails(pairs: list[tuple[CaseOutcome, CaseOutcome]], code: int, counted: str) -> None:
    assert (record(*pairs).exit_code, tally(record(*pairs).comparisons)) == (code, counted)


def test_the_table_has_what_differs_the_worst_first_and_what_is_alike_once() -> None:
    console = Console(file=io.StringIO(), width=100)
    show_gate(
        record((STABLE, STABLE), (MOVED, STABLE), (STABLE, MOVED), (STABLE, MOVED), (GUEST_OFF, NO_GUEST)), console
    )
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "case-0" not in shown
    assert shown.index("case-2") < shown.index("case-3") < shown.index("case-4") < shown.index("case-1")
    assert shown.count("✗ worse") == 2
    assert shown.count("usb: port 1 -> port 2") == 2
    assert "5 cases: 3 worse, 1 better, 1 unchanged" in shown


def test_published_schema_is_the_models_and_takes_a_record() -> None:
    published = json.loads((Path(__file__).parents[4] / "harness/study/compare/gate.schema.json").read_text())
    assert published == gate_schema()
    jsonschema.validate(record((STABLE, MOVED)).model_dump(mode="json"), published)
