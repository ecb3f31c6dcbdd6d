"""Folders and files of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.result.case_result import RunSummary
from harness.result.folders import RunFolder, folder_name, read_run, read_runs
from harness.result.run_path import make_run_path

EMPTY_RUN = RunSummary(started_at="now", accelerator="none", versions={}, results=())


def test_cases_of_one_name_get_a_folder_each(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "now", "tcg", {})
    assert [folder.case_folder("a[b]").path.name for _ in range(3)] == ["a-b", "a-b-2", "a-b-3"]


def test_a_case_id_may_be_longer_than_a_file_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "now", "tcg", {})
    ids = [f"disks[{'volume-virtio-' * 40}{number}]" for number in range(2)]
    first, second = (folder.case_folder(each).path.name for each in ids)
    assert first != second
    assert first[:100] == second[:100]
    assert folder_name("short[pc]") == "short-pc"


def test_folders_without_a_run_are_passed_over_beside_a_run(tmp_path: Path) -> None:
    run, sweep = make_run_path(tmp_path / "1"), make_run_path(tmp_path / "2", is_run=False)
    (run / "run.json").write_text(EMPTY_RUN.model_dump_json())
    read = read_runs([run, sweep])
    assert (read.runs, read.passed_over) == ((EMPTY_RUN,), (sweep,))


def test_folders_without_any_run_and_a_folder_that_does_not_exist_are_errors(tmp_path: Path) -> None:
    sweep = make_run_path(tmp_path / "1", is_run=False)
    with pytest.raises(ScenarioError, match=f"{sweep} holds no results"):
        read_runs([sweep])
    with pytest.raises(ScenarioError, match=f"{tmp_path}/none holds no results"):
        read_runs([sweep, tmp_path / "none"])


def test_a_damaged_summary_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ScenarioError) as raised:
        read_run(tmp_path)
    assert raised.value.message == f"{tmp_path}/run.json is not the summary of a run"


def test_the_latest_folder_is_a_runs(tmp_path: Path) -> None:
    run = make_run_path(tmp_path / "1")
    make_run_path(tmp_path / "2", is_run=False)
    assert (tmp_path / "latest").resolve() == run
