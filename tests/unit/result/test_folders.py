"""Folders and files of a run."""

from __future__ import annotations

from pathlib import Path

from harness.result.folders import RunFolder, folder_name


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
