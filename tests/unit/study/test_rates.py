"""How repeated runs are counted: what is the same each time says nothing, what is not is told with its share."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from harness.commands.rates import command as rates
from harness.result.case_result import CaseResult, Failure, RunSummary, StateRecord
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.study.rates import CaseRate, at_level, bound, closing_sentence, passes_of, rates_of, rates_page
from harness.verdict.finding import Finding

WRITTEN = Finding(
    claim=ClaimName.DATA, device="root", before="unchanged", after="bytes 0-4095", message="bytes 0-4095 changed"
)
MOVED = Finding(claim=ClaimName.NAMES, device="root", before="vda", after="vdb", message="vda -> vdb")


def race(rate: str, device: str = "volume1") -> Finding:
    return MOVED.model_copy(update={"device": device, "cause": "kernel-race", "rate": rate})


def result(
    case: str = "one",
    repetition: int = 1,
    *findings: Finding,
    verdict: VerdictName = VerdictName.STABLE,
    mismatch: tuple[str, ...] = (),
    failure: Failure | None = None,
    implementation: str = "reference",
    started_at: str = "2026-01-01T00:00:00+00:00",
) -> CaseResult:
    return CaseResult(
        case=case,
        scenario="one",
        summary="One disk",
        file="one.yaml",
        values={},
        implementation=implementation,
        level=Level.GUEST,
        repetition=repetition,
        verdict=verdict,
        expectation=None,
        as_expected=not mismatch and failure is None,
        mismatch=mismatch,
        findings=findings,
        failure=failure,
        boots=(StateRecord(state="normal", boot_id="1", boot_s=5.0),),
        accelerator="TCG",
        versions={},
        started_at=started_at,
        elapsed_s=90.0,
        artefacts=case,
    )


def run(*results: CaseResult) -> RunSummary:
    return RunSummary(started_at="2026-01-01T00:00:00+00:00", accelerator="TCG", versions={}, results=results)


@pytest.mark.parametrize(
    ("results", "as_expected", "remarks"),
    [
        ([result(), result()], 2, ()),
        ([result("one", 1, MOVED), result("one", 1, MOVED)], 2, ()),
        ([result("one", 1, race("1 of 8")), result("one", 1, race("3 of 8"))], 2, ()),
        ([result("one", 1, WRITTEN), result("one", 1, WRITTEN.model_copy(update={"message": "others"}))], 2, ()),
        ([result(), result("one", 1, race("3 of 8"))], 2, (("kernel race of volume1", 1),)),
        (
            [result(), result("one", 1, race("3 of 8", "root"), race("3 of 8"))],
            2,
            (("kernel race of root, volume1", 1),),
        ),
        (
            [result("one", 1, MOVED, mismatch=("not stable",)), result()],
            1,
            (("not stable", 1), ("names: root: vda -> vdb", 1)),
        ),
        (
            [result("one", 1, mismatch=("not moved",)), result("one", 1, mismatch=("not moved",))],
            0,
            (("not moved", 2),),
        ),
        (
            [result(), result("one", 1, failure=Failure(kind="GuestError", message="it did not come up"))],
            1,
            (("it did not come up", 1),),
        ),
    ],
)
def test_what_varies_is_told_and_what_is_not_as_expected(
    results: list[CaseResult], as_expected: int, remarks: tuple[tuple[str, int], ...]
) -> None:
    (rate,) = rates_of(results)
    assert (rate.runs, rate.as_expected, rate.remarks) == (len(results), as_expected, remarks)


def test_repetitions_are_one_case_of_one_implementation() -> None:
    nova = "nova:34.0.0"
    found = rates_of(
        [
            result("one#1", 1),
            result("one#1@nova:34.0.0", 1, implementation=nova),
            result("one#12", 12, MOVED, verdict=VerdictName.MOVED),
            result("one#12@nova:34.0.0", 12, implementation=nova),
            result("one[b#1]", 1),
        ]
    )
    assert [(rate.case, rate.runs) for rate in found] == [("one", 2), ("one@nova:34.0.0", 2), ("one[b#1]", 1)]
    assert found[0].verdicts == ((VerdictName.STABLE, 1), (VerdictName.MOVED, 1))


def test_each_repetition_of_each_run_is_a_pass() -> None:
    later = "2026-01-01T00:10:00+00:00"
    first = run(result("one#1"), result("two#1", started_at=later), result("one#2", 2, race("1 of 8")))
    found = [(each.cases, each.boots, each.as_expected, each.races) for each in passes_of([first, run(result())])]
    assert found == [(2, 2, 2, 0), (1, 1, 1, 1), (1, 1, 1, 0)]
    assert passes_of([first])[0].elapsed.total_seconds() == 690


@pytest.mark.parametrize(("runs", "share"), [(1, 0.95), (59, 0.0495), (1000, 0.003)])
def test_no_failure_in_so_many_runs_bounds_their_share(runs: int, share: float) -> None:
    assert bound(runs) == pytest.approx(share, rel=0.01)


def test_the_bound_is_said_only_of_enough_runs_that_were_all_as_expected() -> None:
    good = CaseRate("one", Level.GUEST, 59, 59, (), ())
    bad = CaseRate("two", Level.GUEST, 10, 9, (), ())
    assert closing_sentence([good]).endswith("; at 95% confidence fewer than 1 run in 20 goes wrong")
    few = CaseRate("three", Level.GUEST, 2, 2, (), ())
    assert closing_sentence([few]) == "2 runs of 1 case: 2 as expected, 0 not"
    assert closing_sentence([good, bad]) == "69 runs of 2 cases: 68 as expected, 1 not"


def test_the_page_has_a_line_for_each_pass_and_each_remark() -> None:
    page = rates_page([run(result()), run(result("one", 1, MOVED, mismatch=("not stable",)))])
    assert page.count("| 2026-01-01T00:00:00+00:00 | 1 | 1 |") == 2
    assert "| `one` | 1 of 2 | not stable | 1 |" in page


def test_a_folder_without_results_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    ran = CliRunner().invoke(rates, [str(empty)])
    assert f"{empty} holds no results" in str(ran.exception)


def test_a_level_is_counted_alone() -> None:
    plan = result("two").model_copy(update={"level": Level.PLAN})
    both = run(result(), plan)
    assert at_level(both, Level.PLAN).results == (plan,)
    assert at_level(both, None) == both
    assert at_level(both, Level.MACHINE).results == ()
