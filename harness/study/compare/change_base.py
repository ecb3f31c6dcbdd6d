"""The git side of a gate: which commit a checkout's change began from, and that commit's files in a folder.

The checkout is only read: no worktree is added, no ref written, and git's index is not refreshed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError, ScenarioError
from harness.implementation.nova.checkout import require_checkout

_UPSTREAMS = ("origin/master", "origin/main", "master", "main", "@{upstream}")
_SHORT = 10
_SET_FOR_HOOKS = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"}
_LEFT_OUT = ("nova/tests", "doc", "releasenotes", "api-guide", "api-ref")


@dataclass(frozen=True)
class Base:
    """The commit a change begins from: the newest one that HEAD and ``reference`` have in common."""

    commit: str
    reference: str
    head: str
    is_dirty: bool

    @property
    def short(self) -> str:
        """The abbreviated commit, as people write it."""
        return self.commit[:_SHORT]

    def __str__(self) -> str:
        where = f"{self.short}, where HEAD left {self.reference}" if self.head != self.commit else f"{self.short}, HEAD"
        change = f"HEAD {self.head[:_SHORT]}" if self.head != self.commit else ""
        dirt = "what is not committed" if self.is_dirty else ""
        return f"base: {where}; change: {' and '.join(filter(None, (change, dirt)))}"


def top_of(path: Path) -> Path:
    """Return the top folder of the checkout of Nova that a path lies in.

    Raises:
        ScenarioError: the path is in no checkout.
        HostError: there is no git.
    """
    if not path.is_dir():
        raise ScenarioError(f"{path} is no folder", hint="gate-nova takes a git checkout of Nova")
    found = _git(path, "rev-parse", "--show-toplevel")
    if found.returncode != 0:
        raise ScenarioError(
            f"{path} is no git checkout: {_first_line(found.stderr)}", hint="gate-nova compares with a commit"
        )
    top = Path(found.stdout.strip()).resolve()
    require_checkout(top)
    return top


def base_of(top: Path, named: str | None = None) -> Base:
    """Return the base of a checkout's change; ``named`` is a ref to begin from in place of the upstream branch.

    Raises:
        ScenarioError: there is no such ref or no common commit, or nothing was changed.
    """
    head = _commit(top, "HEAD")
    if head is None:
        raise ScenarioError(f"{top} has no commit", hint="gate-nova compares with a commit")
    reference = named or next((each for each in _UPSTREAMS if _commit(top, each) is not None), None)
    if reference is None:
        raise ScenarioError(f"{top} has none of {', '.join(_UPSTREAMS)}", hint="name what to compare with: --base REF")
    if _commit(top, reference) is None:
        raise ScenarioError(
            f"'{reference}' is no commit of {top}", hint="'git fetch' it, or name another with --base REF"
        )
    found = _git(top, "merge-base", "HEAD", reference)
    if found.returncode != 0:
        is_shallow = _git(top, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
        raise ScenarioError(
            f"HEAD and {reference} have no commit in common" + (": this clone is shallow" if is_shallow else ""),
            hint="git fetch --unshallow" if is_shallow else "name another with --base REF",
        )
    base = Base(found.stdout.strip(), reference, head, is_dirty=bool(_status(top)))
    if base.commit == head and not base.is_dirty:
        raise ScenarioError(
            f"nothing was changed in {top}: HEAD is in {reference}", hint="name an older commit with --base REF"
        )
    return base


def file_at(top: Path, commit: str, name: str) -> str | None:
    """Return a file's text at a commit, None if the commit has no such file."""
    found = _git(top, "show", f"{commit}:{name}")
    return found.stdout if found.returncode == 0 else None


def export(top: Path, commit: str, folder: Path) -> None:
    """Write a commit's files into a new folder, without tests and documentation, which nova-compute does not read.

    Raises:
        ScenarioError: the commit is not one of Nova.
        HostError: git or tar failed.
    """
    folder.mkdir()
    command = ["git", "-C", str(top), "archive", "--format=tar", commit, "--", "."]
    command += [f":(exclude){name}" for name in _LEFT_OUT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()) as archive:
        unpacked = subprocess.run(
            ["tar", "--extract", "--directory", str(folder)], stdin=archive.stdout, capture_output=True, check=False
        )
        said = archive.stderr.read().decode(errors="replace") if archive.stderr else ""
    if archive.returncode != 0 or unpacked.returncode != 0:
        trouble = _first_line(said) or _first_line(unpacked.stderr.decode(errors="replace"))
        raise HostError(f"the files of {commit[:_SHORT]} cannot be read: {trouble}")
    require_checkout(folder)


def _commit(top: Path, reference: str) -> str | None:
    found = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    return found.stdout.strip() if found.returncode == 0 else None


def _status(top: Path) -> str:
    return _git(top, "status", "--porcelain", "--untracked-files=normal").stdout


def _git(top: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "--no-optional-locks", "-C", str(top), *words]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=_environment()
        )
    except OSError as error:
        raise HostError(f"git does not start: {error}", hint="install git") from error


def _environment() -> Mapping[str, str]:
    """Return the environment without the variables that git sets for hooks.

    In a hook, GIT_DIR would name the hook's repository whatever the folder.
    """
    return {name: value for name, value in os.environ.items() if name not in _SET_FOR_HOOKS} | {"LC_ALL": "C.UTF-8"}


def _first_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else ""
