"""What the terminal shows of results, and what it leaves to ``result.json``."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.errors import GuestAfter
from harness.report.terminal.table import results_table
from harness.result.case_result import CaseResult, Failure, Refusal
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.verdict.finding import Finding

from ...support.case_results import PLANNED


def changed(device: str, number: int) -> Finding:
    return Finding(claim=ClaimName.DATA, device=device, before="", after="", message=f"range {number} changed")


def result(findings: tuple[Finding, ...], failure: Failure | None = None) -> CaseResult:
    booted = {"level": Level.GUEST, "verdict": VerdictName.MOVED}
    return PLANNED.model_copy(update={**booted, "findings": findings, "failure": failure})


def shown(result: CaseResult) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=100, markup=False).print(results_table([result]))
    lines = text.getvalue().splitlines()[1:]
    return [line.removeprefix("one").strip().removeprefix("✓ moved").strip() for line in lines]


@pytest.mark.parametrize(
    ("number", "written_out", "rest"),
    [
        (3, 3, []),
        (4, 4, []),
        (5, 3, ["data: root: and 2 more, all of them in result.json"]),
        (30, 3, ["data: root: and 27 more, all of them in result.json"]),
    ],
)
def test_many_findings_of_one_claim_and_device_end_in_one_line(number: int, written_out: int, rest: list[str]) -> None:
    findings = tuple(changed("root", each) for each in range(number))
    assert shown(result(findings)) == [f"data: root: range {each} changed" for each in range(written_out)] + rest
    assert len(result(findings).sentences()) == number


def test_devices_are_counted_apart_and_keep_their_order() -> None:
    names = ["root", "swap", "root", "root", "root", "swap", "root"]
    assert shown(result(tuple(changed(name, each) for each, name in enumerate(names)))) == [
        "data: root: range 0 changed",
        "data: swap: range 1 changed",
        "data: root: range 2 changed",
        "data: root: range 3 changed",
        "data: root: and 2 more, all of them in result.json",
        "data: swap: range 5 changed",
    ]


def test_failure_is_told_whatever_was_found_before_it() -> None:
    failed = result((changed("root", 0),), Failure(kind="GuestError", message="QEMU ended"))
    assert shown(failed) == ["QEMU ended"]


def test_a_finding_that_was_not_expected_is_told_once() -> None:
    unexpected = result((changed("root", 0), changed("swap", 1))).model_copy(
        update={"as_expected": False, "mismatch": ("unexpected: data root: range 0 changed",)}
    )
    lines = [line.removeprefix("✗ moved").strip() for line in shown(unexpected)]
    assert lines == ["data: swap: range 1 changed", "unexpected: data root: range 0 changed"]
    assert unexpected.sentences_beside_mismatch == ("data: swap: range 1 changed",)


def test_a_refusal_that_was_not_expected_is_told_once() -> None:
    refusal = Refusal(reason="no IDE", refused_by="libvirt", guest=GuestAfter.SHUT_OFF)
    mismatch = f"unexpected: {refusal}; expected was: no place"
    unexpected = result(()).model_copy(
        update={"verdict": VerdictName.REFUSED, "refusal": refusal, "as_expected": False, "mismatch": (mismatch,)}
    )
    assert shown(unexpected) == [f"✗ refused  {mismatch}"]
    assert unexpected.sentences_beside_mismatch == ()


def test_an_unfit_instance_is_told_once() -> None:
    mismatch = "unexpected: the instance is unfit: booted from volume1"
    unfit = result(()).model_copy(
        update={
            "verdict": VerdictName.UNFIT,
            "unfit": "booted from volume1",
            "as_expected": False,
            "mismatch": (mismatch,),
        }
    )
    assert shown(unfit) == [f"✗ unfit    {mismatch}"]
    assert unfit.model_copy(update={"as_expected": True, "mismatch": ()}).sentences() == (
        "the instance is unfit: booted from volume1",
    )


def test_the_failure_of_a_case_is_not_told_again_as_a_difference_from_the_expectation() -> None:
    failed = result((), Failure(kind="HostError", message="no memory")).model_copy(
        update={"as_expected": False, "mismatch": ("expected stable: ended in an error, so nothing is known",)}
    )
    assert (*failed.sentences_beside_mismatch, *failed.told_mismatch) == ("no memory",)


def test_a_refusal_beside_findings_is_told_with_them() -> None:
    refusal = Refusal(reason="no IDE", refused_by="reference", guest=GuestAfter.RUNNING)
    both = result((changed("root", 0),)).model_copy(update={"refusal": refusal})
    assert shown(both) == ["data: root: range 0 changed", str(refusal)]
    assert both.sentences() == ("data: root: range 0 changed", str(refusal))
