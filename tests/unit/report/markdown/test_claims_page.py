"""The page that sets implementations side by side: how it is made, and that it fits what the scenarios expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import GuestAfter
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import collect_cases
from harness.reading.expectation import applicable_expectation
from harness.report.markdown.claims_page import cell_of, cells_of, cells_on, claims_page, latest_results
from harness.result.case_result import CaseResult, Failure, Refusal, RunSummary
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.verdict.coverage import blind_to, claim_statuses
from harness.verdict.finding import Finding

from ...support.case_results import PLANNED

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "nova" / "claims.md"
FINDINGS_PAGE = ROOT / "docs" / "nova" / "findings.md"
SCENARIOS = ROOT / "scenarios" / "nova"
MOVED = Finding(claim=ClaimName.NAMES, device="root", before="vda", after="vdb", message="vda -> vdb")


def result(
    case: str = "one",
    implementation: str = "reference",
    *findings: Finding,
    level: Level = Level.PLAN,
    refusal: Refusal | None = None,
    failure: Failure | None = None,
) -> CaseResult:
    verdict = VerdictName.MOVED if findings else VerdictName.STABLE
    if refusal is not None:
        verdict = VerdictName.REFUSED
    if failure is not None:
        verdict = VerdictName.ERROR
    differing = {
        "case": case if implementation == "reference" else f"{case}@{implementation}",
        "implementation": implementation,
        "level": level,
        "verdict": verdict,
        "findings": findings,
        "claims": () if verdict in {VerdictName.REFUSED, VerdictName.ERROR} else claim_statuses(level, findings),
        "refusal": refusal,
        "failure": failure,
    }
    return PLANNED.model_copy(update=differing)


@pytest.mark.parametrize(
    ("of", "cell"),
    [
        (result(), "stable"),
        (result("one", "reference", MOVED, MOVED), "names"),
        (result(refusal=Refusal(reason="no such bus", refused_by="Nova")), "refused by Nova"),
        (
            result(refusal=Refusal(reason="no such bus", refused_by="nova-compute", guest=GuestAfter.SHUT_OFF)),
            "refused by nova-compute, guest off",
        ),
        (
            result(refusal=Refusal(reason="no UEFI", refused_by="libvirt", guest=GuestAfter.NEVER_MADE)),
            "instance refused by libvirt",
        ),
        (result(failure=Failure(kind="HostError", message="the worker died")), "error"),
    ],
)
def test_a_result_in_a_cell(of: CaseResult, cell: str) -> None:
    assert cell_of(of) == cell


def test_implementations_that_did_the_same_share_a_column() -> None:
    page = claims_page(
        [
            result("b", "nova:34.0.0", MOVED),
            result("b", "nova:9.0.0", MOVED),
            result("b"),
            result("a", level=Level.GUEST),
        ]
    )
    assert "| case | level | reference | nova:9.0.0, nova:34.0.0 |" in page
    assert "| `a` | guest | stable | - |\n| `b` | plan | stable | names |" in page
    assert "| plan | `names` | held 1 | held 0, **broken 1** |" in page
    assert "| plan | `links` | not checked | not checked |" in page
    assert "| guest | `links` | held 1 | - |" in page
    assert cells_on(page)["b", Level.PLAN] == {"reference": "stable", "nova:9.0.0": "names", "nova:34.0.0": "names"}


def test_of_a_case_in_two_runs_the_later_counts() -> None:
    runs = [
        RunSummary(started_at="now", accelerator="none", versions={}, results=(one,))
        for one in (result("one", "reference", MOVED), result())
    ]
    assert cells_of(latest_results(runs)) == {("one", Level.PLAN): {"reference": "stable"}}


def test_the_page_has_every_case_and_fits_what_is_expected_of_each_implementation() -> None:
    text = PAGE.read_text()
    cells = cells_on(text)
    libvirt, qemu = re.findall(r"Seen on libvirt (\S+) and QEMU (\S+)\.", text)[0]
    cases = {case.id: case.point.scenario for case in collect_cases([SCENARIOS], Reference(), level=Level.PLAN)}
    assert [case for case, level in cells if level is Level.PLAN] == sorted(cases)
    for (case, level), row in cells.items():
        for name, cell in row.items():
            versions = {"libvirt": libvirt, "qemu": qemu, "implementation": name}
            if name != "reference":
                versions["nova"] = name.partition(":")[2]
            expectation = applicable_expectation(cases[case], versions)
            if expectation.verdict is VerdictName.UNFIT:
                assert cell == "unfit", (case, name)
                continue
            if expectation.verdict is VerdictName.REFUSED:
                assert "refused by" in cell, (case, name)
                continue
            seen = [each for each in expectation.findings if level in each.levels and each.claim not in blind_to(level)]
            claims = {str(each.claim) for each in seen}
            assert set(cell.split(", ")) == (claims or {"stable"}), (case, name)


def test_the_page_of_findings_names_every_scenario_and_none_that_is_not_there() -> None:
    text = FINDINGS_PAGE.read_text()
    named = {Path(each) for each in re.findall(r"\(\.\./\.\./scenarios/([a-z0-9/-]+\.yaml)\)", text)}
    assert {ROOT / "scenarios" / path for path in named} >= set(SCENARIOS.glob("*.yaml"))
    assert all((ROOT / "scenarios" / path).is_file() for path in named)


def test_the_page_of_findings_has_each_number_once_at_a_glance() -> None:
    _, _, text = FINDINGS_PAGE.read_text().partition("## At a glance")
    numbers = [int(number) for number in re.findall(r"^\| R(\d\d) ", text.partition("\n## ")[0], re.MULTILINE)]
    unused = {11, 13, 15, 16, 17, 28, 29, 31}
    assert numbers == [number for number in range(1, 39) if number not in unused]
