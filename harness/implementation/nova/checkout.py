"""Check that a folder holds Nova's source, and find out the version."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from harness.errors import ScenarioError

UNKNOWN_VERSION = "0.0.0"
_NOVAS_OWN = ("nova/cmd/compute.py", "nova/virt/libvirt/driver.py", "requirements.txt")
_DESCRIBED = re.compile(r"(\d+\.\d+\.\d+)(?:\.0(?:rc|b)\d+)?(?:-(\d+)-g[0-9a-f]+)?")


def require_checkout(path: Path) -> None:
    """Check that Nova's source is in a folder.

    Raises:
        ScenarioError: Nova's source is not there.
    """
    if not path.is_dir():
        raise ScenarioError(f"{path} is no folder", hint="--checkout takes the top folder of Nova's source")
    missing = [name for name in _NOVAS_OWN if not (path / name).is_file()]
    if missing:
        raise ScenarioError(
            f"{path} is no checkout of Nova: it has no {missing[0]}",
            hint="--checkout takes the top folder of Nova's source",
        )


def checkout_version(path: Path) -> str:
    """Return the version that pbr must be given: ``34.0.0.post12`` is twelve commits after 34.0.0.

    The version is read from the metadata of a source package or from git's tags. Without either, return
    UNKNOWN_VERSION.
    """
    return packaged_version(path) or described_version(path) or UNKNOWN_VERSION


def packaged_version(path: Path) -> str | None:
    """Return the version in a source package's metadata, or None without metadata."""
    try:
        text = (path / "PKG-INFO").read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r"^Version: (\S+)$", text, re.MULTILINE)
    return found[1] if found else None


def described_version(path: Path, commit: str = "HEAD") -> str | None:
    """Return the version by git's last tag before a commit, or None without a tag."""
    command = ["git", "-C", str(path), "describe", "--tags", "--match", "[0-9]*", commit]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = _DESCRIBED.match(done.stdout) if done.returncode == 0 else None
    if found is None:
        return None
    return found[1] if found[2] is None else f"{found[1]}.post{found[2]}"
