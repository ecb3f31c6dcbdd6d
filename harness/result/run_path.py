"""The path of a run's folder, named by the time; processes can agree on the name before one makes the folder."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import disk_error


def run_name() -> str:
    """Return a new name for a run's folder: UTC time and a random part."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def make_run_path(path: Path, *, is_run: bool = True) -> Path:
    """Make a folder for results, if no other process has. If a run's cases come into it, ``latest`` points to it.

    Raises:
        HostError: the folder cannot be made.
    """
    link, scratch = path.parent / "latest", path.parent / f".latest-{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if is_run:
            scratch.unlink(missing_ok=True)
            scratch.symlink_to(path.name)
            scratch.replace(link)
    except OSError as error:
        raise disk_error(error, path.parent, variable="--results") from error
    return path
