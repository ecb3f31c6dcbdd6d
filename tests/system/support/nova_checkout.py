"""A git checkout of Nova, made of the sources of a release that was added."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.implementation.nova.environments import Environments

from .nova_data import RELEASE, Data


@dataclass(frozen=True)
class Checkout:
    """A checkout whose branch ``master`` is the release."""

    path: Path

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        done = subprocess.run(["git", "-C", self.path, *identity, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def replace(self, name: str, old: str, new: str) -> None:
        """Change the one place where a file says something."""
        path = self.path / name
        text = path.read_text()
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new))

    def state(self) -> tuple[str, ...]:
        """What a gate must leave as it is: the files, git's refs, worktrees and index."""
        index = hashlib.sha256((self.path / ".git" / "index").read_bytes()).hexdigest()
        return self.git("status", "--porcelain"), self.git("show-ref"), self.git("worktree", "list"), index


def checkout_of(data: Data, path: Path) -> Checkout:
    """Copy the release's code, with what tells its version, and commit it."""
    environment = Environments(data.folder / "nova").find(RELEASE)
    (site,) = (environment.path / "lib").glob("python3*/site-packages")
    path.mkdir()
    shutil.copytree(site / "nova", path / "nova", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    (metadata,) = site.glob("nova-*.dist-info/METADATA")
    shutil.copyfile(metadata, path / "PKG-INFO")
    (path / "requirements.txt").write_text("")
    (path / ".gitignore").write_text("__pycache__/\n")
    made = Checkout(path)
    made.git("init", "--quiet", "--initial-branch", "master")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", RELEASE)
    return made
