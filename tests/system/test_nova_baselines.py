"""The shipped suite on the newest Nova and on the oldest that is supported: what is kept of each still holds.

The oldest wants its release's upper constraints; see ``oldest_data``.
"""

from __future__ import annotations

import pytest

from .support.command_line import CommandLine
from .support.nova_data import OLDEST_RELEASE, RELEASE, Data


def test_the_newest_is_as_its_baseline_says(nova_line: CommandLine) -> None:
    _is_as_its_baseline_says(RELEASE, nova_line)


def test_the_oldest_is_as_its_baseline_says(command_line: CommandLine, oldest_data: Data) -> None:
    command_line.environment["RESCUE_HARNESS_DATA"] = str(oldest_data.folder)
    _is_as_its_baseline_says(OLDEST_RELEASE, command_line)


def _is_as_its_baseline_says(release: str, line: CommandLine) -> None:
    ran = line.run("nova", "baseline", release)
    if "the baseline was made on" in ran.stdout:
        pytest.skip(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "cases: 0 worse, 0 better" in ran.stdout


def test_another_release_shows_as_a_difference(nova_line: CommandLine) -> None:
    ran = nova_line.run("nova", "baseline", RELEASE, "--against", OLDEST_RELEASE)
    assert ran.returncode in (1, 3), ran.stdout + ran.stderr
    assert f"baseline of {OLDEST_RELEASE}" in ran.stdout
    assert "uefi" in ran.stdout


def test_a_release_without_a_baseline_is_one_message(nova_line: CommandLine) -> None:
    ran = nova_line.run("nova", "baseline", RELEASE, "--against", "28.0.0")
    assert ran.returncode == 2
    assert f"nova-{OLDEST_RELEASE}-plan, nova-{RELEASE}-guest, nova-{RELEASE}-plan" in ran.stderr
