"""The cases that stand for the suite are in it, run at level guest, and docs/nova/gate.md says what each shows."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from harness.commands.main import main
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, collect_cases
from harness.scenario.words import Level
from harness.study.compare.representatives import REPRESENTATIVES, representatives_of

PAGE = Path(__file__).parents[4] / "docs" / "nova" / "gate.md"


def test_each_is_a_case_of_the_suite_and_runs_at_level_guest() -> None:
    found = representatives_of(collect_cases([SHIPPED_SUITE], Reference()))
    assert {case.id for case in found} == {each.case for each in REPRESENTATIVES}
    assert len(REPRESENTATIVES) == 8
    assert {case.level for case in found} == {Level.GUEST}


def test_the_page_says_what_each_shows() -> None:
    page = PAGE.read_text()
    for each in REPRESENTATIVES:
        assert f"| `{each.case}` | {each.shows} |" in page


def test_a_part_of_a_baseline_is_not_written() -> None:
    ran = CliRunner().invoke(main, ["nova", "baseline", "34.0.0", "--write", "-k", "usb"])
    assert ran.exit_code == 2
    assert "a baseline is written whole" in ran.output
