"""The commands of the CI files of the documents: those for scenarios run, those for Nova have the options they name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from .conftest import MINIMAL, CommandLine

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs/how-to/ci"
OF_THE_CHECKOUT = ("Makefile", "pyproject.toml", "packages-debian.txt", "bin", "conftest.py")


def _loaded(name: str) -> object:
    return YAML(typ="safe").load(FILES / name)


def _github(job_name: str) -> tuple[str, dict[str, str]]:
    workflow = _loaded("github-actions.yml")
    job = workflow["jobs"][job_name]
    runs = [step["run"] for step in job["steps"] if "run" in step]
    return "\n".join(runs), job["env"]


def _gitlab(job_name: str) -> tuple[str, dict[str, str]]:
    pipeline = _loaded("gitlab-ci.yml")
    job = pipeline[job_name]
    return "\n".join(pipeline[job["extends"]]["before_script"] + job["script"]), job["variables"]


def _zuul(job_name: str) -> tuple[str, dict[str, str]]:
    (play,) = _loaded(f"zuul-{job_name}.yaml")
    (job,) = [
        entry["job"]
        for entry in _loaded("zuul.yaml")
        if entry.get("job", {}).get("run") == f"docs/how-to/ci/zuul-{job_name}.yaml"
    ]
    script, environment = [], {}
    for task in play["tasks"]:
        script.append(task.get("ansible.builtin.command") or task.get("ansible.builtin.shell") or "")
        environment |= task.get("environment", {})
    values = {
        name: re.sub(r"{{ (\w+) }}", lambda found: str(job["vars"].get(found[1], found[0])), value)
        for name, value in environment.items()
    }
    return "\n".join(script), values


SCRIPTS = pytest.mark.parametrize("script_of", [_github, _gitlab, _zuul], ids=["github", "gitlab", "zuul"])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a job has after its set-up: the checkout and its environment, with one small scenario."""
    folder = tmp_path / "checkout"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "scenarios/minimal.yaml").write_text(MINIMAL)
    for name in OF_THE_CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    # Installing Debian packages and fetching are not for a test, and the environment is the test's own.
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("apt-get", "make"):
        (commands / name).symlink_to(shutil.which("true"))
    return folder


def _run(script: str, checkout: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{checkout.parent / 'commands'}:{environment['PATH']}"
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=checkout,
        env=environment | {"PATH": path, "HOME": str(checkout.parent)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@SCRIPTS
def test_job_for_scenarios_runs_them(script_of, checkout: Path, command_line: CommandLine) -> None:
    script, values = script_of("scenarios")
    assert "make .setup/environment" in script
    done = _run(script, checkout, command_line.environment | values | {"LEVEL": "plan"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ accelerator" in done.stdout
    assert "1 passed" in done.stdout
    (report,) = checkout.parent.rglob("junit.xml")
    assert 'name="minimal"' in report.read_text()
    assert (report.parent / "results/latest/run.json").exists()


@SCRIPTS
def test_job_for_scenarios_fails_with_them(script_of, checkout: Path, command_line: CommandLine) -> None:
    (checkout / "scenarios/minimal.yaml").write_text(MINIMAL + "expect: {verdict: refused, reason: IDE}\n")
    script, values = script_of("scenarios")
    done = _run(script, checkout, command_line.environment | values | {"LEVEL": "plan"})
    assert done.returncode == 1, done.stdout + done.stderr
    assert "expected refused" in done.stdout


@SCRIPTS
def test_job_for_nova_calls_commands_as_they_are(script_of, command_line: CommandLine) -> None:
    script, values = script_of("nova")
    calls = re.findall(r"^\.venv/bin/rescue-harness (.+)$", script, re.MULTILINE)
    assert [call.split()[0] for call in calls] == ["nova", "gate-nova"]
    for call in calls:
        words = [re.sub(r"\$(\w+)", lambda found: str(values[found[1]]), word.strip('"')) for word in call.split()]
        # With --help nothing is done, and yet an option that does not exist is an error.
        assert command_line.run(*words, "--help").returncode == 0
        assert command_line.run(*words, "--no-such-option", "--help").returncode == 2
