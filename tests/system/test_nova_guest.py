"""Upstream Nova at level guest: eight cases of the newest, and what the oldest boots otherwise, by their baselines."""

from __future__ import annotations

import re

import psutil
import pytest

from .support.command_line import CommandLine
from .support.nova_data import OLDEST_RELEASE, RELEASE, Data

# From 33 on Nova makes no UEFI instance that libvirt 9.0 takes; all else the two boot alike.
ONLY_THE_OLDEST_BOOTS = "uefi"


def test_the_newest_boots_what_its_baseline_says_and_leaves_nothing(nova_line: CommandLine) -> None:
    assert _compared(nova_line, RELEASE) == 8
    assert nova_line.work_folders() == []
    assert nova_line.qemus() == []
    assert [process.name() for process in psutil.process_iter(["cmdline"]) if _is_of(process, nova_line)] == []


def test_the_oldest_boots_what_its_baseline_says(command_line: CommandLine, oldest_data: Data) -> None:
    command_line.environment["RESCUE_HARNESS_DATA"] = str(oldest_data.folder)
    assert _compared(command_line, OLDEST_RELEASE, "-k", ONLY_THE_OLDEST_BOOTS) == 1


def _compared(line: CommandLine, release: str, *words: str) -> int:
    """How many cases were as their baseline says."""
    words = ("--level", "guest", "--jobs", "1", "--boot-timeout", "300", *words)
    ran = line.run("nova", "baseline", release, *words, timeout_s=3000)
    if "the baseline was made on" in ran.stdout:
        pytest.skip(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = re.search(r"(\d+) cases: 0 worse, 0 better, (\d+) unchanged", ran.stdout)
    assert found is not None, ran.stdout
    assert found[1] == found[2]
    return int(found[1])


def _is_of(process: psutil.Process, line: CommandLine) -> bool:
    return any(str(line.cache) in word for word in process.info["cmdline"] or ())
