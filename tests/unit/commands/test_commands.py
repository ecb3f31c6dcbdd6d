"""The command line: a row a command, help without loading anything slow, and work that takes what users may type."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from harness.commands.exit_codes import EXIT_CODES
from harness.commands.main import main
from harness.commands.table import COMMANDS, NOVA_COMMANDS, Purpose, Row
from harness.scenario.words import Level

ROWS = (*COMMANDS, *NOVA_COMMANDS)
SLOW = ("libvirt", "lxml", "paramiko", "pydantic", "rich", "jinja2", "testinfra", "psutil", "ruamel.yaml")


def command_of(row: Row) -> click.Command:
    command: click.Command = import_module(row.module).command
    return command


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.module.removeprefix("harness.commands."))
def test_help_begins_with_the_summary_of_the_table(row: Row) -> None:
    command = command_of(row)
    assert command.name == row.name
    assert command.help is not None
    assert inspect.cleandoc(command.help).split("\n\n")[0] == row.summary


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.module.removeprefix("harness.commands."))
def test_work_takes_what_the_command_is_given(row: Row) -> None:
    command = command_of(row)
    if isinstance(command, click.Group):
        return
    work = import_module(row.module.replace("harness.commands.", "harness.commands.work.", 1)).work
    assert set(inspect.signature(work).parameters) == {parameter.name for parameter in command.params}


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_each_command_is_listed_in_one_line_under_what_people_come_for(columns: str) -> None:
    lines = CliRunner().invoke(main, ["--help"], env={"COLUMNS": columns}).output.splitlines()
    headings = [line for line in lines if line.removesuffix(":") in list(Purpose)]
    assert headings == [f"{purpose}:" for purpose in Purpose]
    for row in COMMANDS:
        assert [line.split(None, 1) for line in lines if line.split(None, 1)[:1] == [row.name]] == [
            [row.name, row.summary]
        ]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["gate-nova", "--help"], ["nova", "add", "--help"]])
def test_help_loads_nothing_slow(words: list[str]) -> None:
    code = (
        "import sys\nfrom harness.commands.main import main\n"
        f"main({words!r}, standalone_mode=False)\nprint([name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_wrong_input() -> None:
    ran = CliRunner().invoke(main, ["runn"])
    assert ran.exit_code == 2
    assert "No such command 'runn'" in ran.output


def test_each_exit_code_has_one_meaning() -> None:
    assert [each.code for each in EXIT_CODES] == [0, 1, 2, 3, 4, 130]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["run", "-j", "abc"], "'abc' is not a valid whole number", id="no-number"),
        pytest.param(
            ["explore", "--budget", "1h3x"], "1h3x is no duration such as 90s, 10m or 1h30m", id="no-duration"
        ),
        pytest.param(["explore", "--budget", "0"], "a budget of 0 tries nothing", id="nothing-to-try"),
    ],
)
def test_a_wrong_value_is_answered_in_plain_words(words: list[str], said: str) -> None:
    ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 2
    assert said in ran.output


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("10m", 600), ("1h30m", 5400), ("1h1m1s", 3661)]
)
def test_budgets(text: str, seconds: float) -> None:
    command = import_module("harness.commands.explore").command
    context = command.make_context("explore", ["--budget", text])
    assert context.params["budget"] == seconds


def test_a_level_may_be_written_in_any_case() -> None:
    command = import_module("harness.commands.run").command
    assert command.make_context("run", ["--level", "Plan"]).params["level"] is Level.PLAN
