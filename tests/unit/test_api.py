"""The face for Python callers: each name is told, and a case runs with nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import api

SCENARIO = """\
name: one
summary: One disk
instance: {disks: [{role: root}]}
rescue_image: {properties: {hw_rescue_bus: virtio}}
"""
# In a process of its own: libvirt's embedded driver opens one state folder a process.
CALLER = """\
from pathlib import Path

from harness.api import Level, Reference, RunOptions, choose_cases, open_run, read_run, run_case

folder = Path("results")
choice = choose_cases([Path("one.yaml")], [Reference()], level=Level.PLAN, keyword="one")
with open_run(RunOptions(folder, Level.PLAN), [Reference()]) as run:
    for case in choice.cases:
        print(run_case(case, run.session).verdict)
    with run.pool(choice.cases) as pool:
        print(pool.result(0).verdict)
print({result.case for result in read_run(folder / "latest").results})
"""


@pytest.mark.parametrize("name", api.__all__)
def test_each_name_is_there_and_told(name: str) -> None:
    assert getattr(api, name).__doc__
    assert re.search(rf"^    ([\w, ]+, )?{name}(, [\w, ]+)?: ", api.__doc__ or "", re.MULTILINE)


@pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="level plan asks libvirt, which asks QEMU")
def test_a_case_runs_at_level_plan_through_the_face_alone(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(SCENARIO)
    done = subprocess.run([sys.executable, "-c", CALLER], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["stable", "stable", "{'one'}"], done.stderr
