"""A data folder with Novas in it, which tests share; RESCUE_HARNESS_TEST_DATA keeps it from one run to the next."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from harness.implementation.nova.constraints import NONE
from harness.implementation.nova.environments import OLDEST, PREFIX, Environments

from .command_line import CommandLine

RELEASE = "34.0.0"
OLDEST_RELEASE = f"{OLDEST}.0.0"
_CONSTRAINTS_BESIDE = Path(__file__).parents[4] / "shared" / "nova-constraints"


def oldest_constraints() -> str | None:
    """The oldest release's upper constraints, for where they cannot be fetched.

    A file that RESCUE_HARNESS_TEST_CONSTRAINTS names, or one in a folder ``shared`` beside the source tree.
    """
    kept = _CONSTRAINTS_BESIDE / f"nova-{OLDEST}.txt"
    return os.environ.get("RESCUE_HARNESS_TEST_CONSTRAINTS") or (str(kept) if kept.is_file() else None)


@dataclass(frozen=True)
class Data:
    """A data folder with Nova in it, and what adding it printed; empty if it was there."""

    folder: Path
    said: str


def data_with(release: str, factory: pytest.TempPathFactory, constraints: str | None = NONE) -> Data:
    """Add a release unless it is there; without constraints with its own, and without those the test is skipped.

    A file with them may be named for where they cannot be fetched.
    """
    kept = os.environ.get("RESCUE_HARNESS_TEST_DATA")
    own = factory.getbasetemp()
    # Workers of pytest-xdist have a folder each below one of the run's.
    folder = Path(kept) if kept else (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "nova-data"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "test.lock"):
        if any(each.name == f"{PREFIX}{release}" for each in Environments(folder / "nova").all()):
            return Data(folder, "")
        line = CommandLine(factory.mktemp("cache"), factory.mktemp("work"))
        words = ("nova", "add", release, *(() if constraints is None else ("--constraints", constraints)))
        added = line.run(*words, timeout_s=1200, RESCUE_HARNESS_DATA=str(folder))
    if "upper constraints cannot be fetched" in added.stderr:
        pytest.skip(f"Nova {release} wants its release's upper constraints: {added.stderr.splitlines()[0]}")
    assert added.returncode == 0, added.stdout + added.stderr
    return Data(folder, added.stdout)
