from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.run.capacity import QEMU_OVERHEAD_BYTES, guests_at_once
from harness.run.control_groups import ControlGroups
from harness.scenario.words import MIB

UNIFIED = "0::/ci/job\n"
LEGACY = "4:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n1:name=systemd:/\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def groups(folder: Path, membership: str, files: dict[str, str]) -> ControlGroups:
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        path = folder / "mounted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return ControlGroups(folder / "membership", folder / "mounted")


def test_one_guest_fits_even_where_there_is_no_memory_for_it() -> None:
    assert guests_at_once(2**60) == 1


def test_no_more_guests_at_once_than_cores(folder: Path) -> None:
    assert 1 <= guests_at_once(MIB, groups(folder, "", {})) <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("membership", "files", "free_bytes"),
    [
        pytest.param(UNIFIED, {"ci/job/memory.max": "max\n", "ci/job/memory.current": "7\n"}, None, id="no-limit"),
        pytest.param(UNIFIED, {"ci/job/memory.max": "1000\n", "ci/job/memory.current": "300\n"}, 700, id="limit"),
        pytest.param(
            UNIFIED,
            {
                "ci/job/memory.max": "1000\n",
                "ci/job/memory.current": "300\n",
                "ci/job/memory.stat": "anon 100\ninactive_file 150\n",
            },
            850,
            id="page-cache",
        ),
        pytest.param(
            UNIFIED,
            {
                "ci/job/memory.max": "1000\n",
                "ci/job/memory.current": "300\n",
                "ci/memory.max": "900\n",
                "ci/memory.current": "800\n",
            },
            100,
            id="limit-of-a-group-around-it",
        ),
        pytest.param(UNIFIED, {"memory.max": "500\n", "memory.current": "600\n"}, 0, id="seen-from-inside-and-full"),
        pytest.param(
            LEGACY,
            {
                "memory/docker/1f/memory.limit_in_bytes": "1000\n",
                "memory/docker/1f/memory.usage_in_bytes": "400\n",
                "memory/docker/1f/memory.stat": "inactive_file 1\ntotal_inactive_file 50\n",
            },
            650,
            id="version-1",
        ),
        pytest.param("", {"memory.max": "500\n"}, None, id="no-groups"),
    ],
)
def test_memory_that_control_groups_leave(
    folder: Path, membership: str, files: dict[str, str], free_bytes: int | None
) -> None:
    assert groups(folder, membership, files).free_memory_bytes == free_bytes


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        pytest.param(UNIFIED, {"ci/job/cpu.max": "max 100000\n"}, None, id="no-limit"),
        pytest.param(UNIFIED, {"ci/job/cpu.max": "150000 100000\n", "ci/cpu.max": "400000 100000\n"}, 1.5, id="limit"),
        pytest.param(
            LEGACY,
            {"cpu/docker/1f/cpu.cfs_quota_us": "300000\n", "cpu/docker/1f/cpu.cfs_period_us": "100000\n"},
            3,
            id="version-1",
        ),
        pytest.param(
            LEGACY,
            {"cpu/docker/1f/cpu.cfs_quota_us": "-1\n", "cpu/docker/1f/cpu.cfs_period_us": "100000\n"},
            None,
            id="version-1-no-limit",
        ),
    ],
)
def test_cores_that_control_groups_leave(
    folder: Path, membership: str, files: dict[str, str], cores: float | None
) -> None:
    assert groups(folder, membership, files).cores == cores


def test_guests_at_once_keep_to_a_container(folder: Path) -> None:
    two_guests = 2 * (MIB + QEMU_OVERHEAD_BYTES)
    files = {"ci/job/memory.max": f"{two_guests}\n", "ci/job/cpu.max": "50000 100000\n"}
    assert guests_at_once(MIB, groups(folder, UNIFIED, files)) == 1
    del files["ci/job/cpu.max"]
    (folder / "mounted/ci/job/cpu.max").unlink()
    assert guests_at_once(MIB, groups(folder, UNIFIED, files)) == min(2, len(os.sched_getaffinity(0)))
