"""Scenarios spread over the workers of pytest-xdist."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from .conftest import MINIMAL, CommandLine, wait_for

REFUSED = MINIMAL.replace("minimal", "a-refused").replace("virtio}", "nvme}") + (
    'expect: {verdict: refused, reason: "nvme"}\n'
)
IN_GUESTS = MINIMAL.replace("name: minimal", "name: a-guest\nlevel: guest")
# A test runner in the background may have told its children to ignore interrupts.
_PYTEST = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import pytest
sys.exit(pytest.main())
"""


def test_workers_share_one_results_folder(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("scenarios")
    for name in ("first", "second"):
        (folder / f"{name}.yaml").write_text(MINIMAL.replace("minimal", name))
    (folder / "wrong.yaml").write_text(MINIMAL + "expect: {verdict: refused, reason: x}\n")
    done = pytester.runpytest_subprocess("-n", "2", "--rescue-level", "machine", "--junitxml", "junit.xml")
    done.assert_outcomes(passed=2, failed=1)
    (run,) = (pytester.path / "results").glob("2*")
    assert (pytester.path / "results" / "latest").resolve() == run
    results = {result["case"]: result for result in json.loads((run / "run.json").read_text())["results"]}
    assert set(results) == {"first", "second", "minimal"}
    assert all(json.loads((run / name / "result.json").read_text()) == results[name] for name in results)
    output = done.stdout.str()
    assert output.count("rescue results:") == 1
    assert f"artefacts: results/{run.name}/minimal" in output
    assert (pytester.path / "junit.xml").read_text().count('name="level" value="machine"') == 3


def test_a_worker_runs_long_cases_first(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("scenarios")
    (folder / "a-refused.yaml").write_text(REFUSED)
    (folder / "minimal.yaml").write_text(MINIMAL.replace("name: minimal", "name: minimal\nlevel: machine"))
    for options, order in (([], ["a-refused", "minimal"]), (["-n", "1"], ["minimal", "a-refused"])):
        done = pytester.runpytest_subprocess("-v", "--rescue-level", "plan", *options)
        done.assert_outcomes(passed=2)
        done.stdout.fnmatch_lines([f"*PASSED*{name}*" if options else f"*{name} PASSED*" for name in order])


def start_workers(command_line: CommandLine, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PYTEST, "-n", "2", *options],
        env=command_line.environment,
        cwd=command_line.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def write_scenarios(folder: Path, *texts: str) -> None:
    (folder / "scenarios").mkdir()
    for number, text in enumerate(texts):
        (folder / "scenarios" / f"{number}.yaml").write_text(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_workers_leave_nothing(
    command_line: CommandLine, tmp_path: Path, minimal: Path, number: signal.Signals
) -> None:
    write_scenarios(tmp_path, IN_GUESTS, IN_GUESTS.replace("a-guest", "b-guest"))
    process = start_workers(command_line)
    wait_for(lambda: len(command_line.guests()) == 2, "a guest in each worker")
    # A terminal sends Ctrl-C to all processes, a CI system ends the one that it started.
    os.killpg(process.pid, number) if number is signal.SIGINT else process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, stdout
    assert not command_line.qemus()
    assert not command_line.work_folders()


def test_killed_worker_costs_one_case(command_line: CommandLine, tmp_path: Path) -> None:
    write_scenarios(tmp_path, IN_GUESTS, MINIMAL, MINIMAL.replace("minimal", "other"))
    process = start_workers(command_line, "--rescue-level", "machine")
    wait_for((tmp_path / "results" / "latest" / "minimal" / "result.json").is_file, "the other worker's case")
    # libvirt daemonises QEMU, and the harness adopts it.
    (owner,) = {guest.ppid() for guest in command_line.guests()}
    assert psutil.Process(owner).ppid() == process.pid
    os.kill(owner, signal.SIGKILL)
    stdout, _ = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.TESTS_FAILED, stdout
    assert "crashed while running 'scenarios/0.yaml::a-guest'" in stdout
    assert "1 failed, 2 passed" in stdout
    assert not command_line.qemus()
    assert not command_line.work_folders()
