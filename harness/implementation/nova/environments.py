"""The Novas that were added: each in a virtual environment of its own in the user's data folder.

An environment exists as long as its record, ``NAME.json``, exists: the record is written last, by renaming, and removed
first. The environment's files lie in ``environments/RANDOM`` beside the record. They are never moved, because scripts
in the environment contain its path.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.version import InvalidVersion, Version
from platformdirs import user_data_path
from pydantic import ValidationError

from harness.errors import HostError, ScenarioError
from harness.frozen import Frozen
from harness.implementation.nova.checkout import UNKNOWN_VERSION, checkout_version
from harness.implementation.nova.messages import Description

OLDEST = 27
_SUPPORTED = f"releases from {OLDEST}.0.0 on can be driven"
PREFIX = "nova:"
_PARTS_OF_A_RELEASE = 3
_ENVIRONMENTS = "environments"
Progress = Callable[[str], None]


class EnvironmentRecord(Frozen):
    """The record of an environment. ``target`` is a release, or the absolute path of a checkout."""

    target: str
    folder: str
    constraints: str
    description: Description
    libvirt_python: str
    added_at: str

    @property
    def is_checkout(self) -> bool:
        """True if Nova's code is in a folder of the user's."""
        return self.target.startswith("/")


@dataclass(frozen=True)
class NovaEnvironment:
    """A complete environment."""

    record: EnvironmentRecord
    path: Path

    @property
    def name(self) -> str:
        """The implementation's name: ``nova:34.0.0``, ``nova:/src/nova``."""
        return f"{PREFIX}{self.record.target}"

    @property
    def python(self) -> Path:
        """The path of the environment's Python."""
        return python_of(self.path)

    @property
    def version(self) -> str | None:
        """The version to tell pbr, because a checkout has no package metadata."""
        return checkout_version(Path(self.record.target)) if self.record.is_checkout else None

    @property
    def known_version(self) -> str | None:
        """Nova's version; None for a checkout without tags."""
        version = self.version or self.record.description.version
        return None if version == UNKNOWN_VERSION else version

    @property
    def size_bytes(self) -> int:
        """The environment's size on disk."""
        files = (Path(folder, name) for folder, _, names in os.walk(self.path) for name in names)
        return sum(file.lstat().st_blocks * 512 for file in files)


def python_of(path: Path) -> Path:
    """Return the path of a virtual environment's Python."""
    return path / "bin" / "python"


def data_root() -> Path:
    """Return the harness's data folder: RESCUE_HARNESS_DATA, or a folder in the user's data folder."""
    chosen = os.environ.get("RESCUE_HARNESS_DATA")
    return Path(chosen).absolute() if chosen else user_data_path("rescue-harness")


def target_of(text: str) -> str:
    """Return a release as given, or the absolute path of a checkout. A text with a slash and ``.`` are paths.

    Raises:
        ScenarioError: the text is neither a release nor a path.
    """
    if "/" in text or text in (".", ".."):
        return str(Path(text).expanduser().resolve())
    try:
        version = Version(text)
    except InvalidVersion:
        raise ScenarioError(
            f"'{text}' is no release of Nova", hint="a version such as 34.0.0, or a checkout's path with a slash in it"
        ) from None
    if len(version.release) < _PARTS_OF_A_RELEASE:
        whole = ".".join([*map(str, version.release), "0", "0"][:_PARTS_OF_A_RELEASE])
        raise ScenarioError(f"'{text}' is no release of Nova", hint=f"did you mean {whole}?")
    return text


def require_supported(target: str) -> None:
    """Require that the harness can drive a release; a checkout's version shows only when it is installed.

    Raises:
        ScenarioError: the release is older than 27.
    """
    if _is_too_old(target):
        raise ScenarioError(f"Nova {target} is too old", hint=_SUPPORTED)


def _is_too_old(target: str) -> bool:
    return not target.startswith("/") and Version(target).major < OLDEST


class Environments:
    """The environments below ``folder``, by default below the data folder. Safe between processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = data_root() / "nova" if folder is None else folder

    def all(self) -> list[NovaEnvironment]:
        """Return every environment: first the releases in their order, then the checkouts."""
        found = [each for path in sorted(self.folder.glob("*.json")) if (each := self._read(path)) is not None]
        return sorted(found, key=lambda each: (each.record.is_checkout, _version_key(each), each.record.target))

    def find(self, text: str) -> NovaEnvironment:
        """Return the environment of a release or checkout.

        Raises:
            ScenarioError: the release or checkout was not added, or there is no such release.
        """
        target = target_of(text)
        found = self._read(self._record_path(target))
        if found is None:
            words = f"--checkout {target}" if target.startswith("/") else target
            added = ", ".join(each.record.target for each in self.all()) or "none so far"
            raise ScenarioError(
                f"there is no environment for Nova {target}; added are: {added}",
                hint=_SUPPORTED if _is_too_old(target) else f"rescue-harness nova add {words}",
            )
        return found

    def remove(self, text: str) -> NovaEnvironment:
        """Remove an environment.

        Raises:
            ScenarioError: the environment does not exist.
            HostError: the environment's files cannot be removed.
        """
        with self.locked():
            found = self.find(text)
            try:
                self._record_path(found.record.target).unlink()
                shutil.rmtree(found.path)
            except OSError as error:
                raise HostError(f"{found.name} cannot be removed: {error}") from error
            return found

    def keep(self, record: EnvironmentRecord) -> NovaEnvironment:
        """Record a finished environment, in place of an earlier one; the caller must hold the lock."""
        path = self._record_path(record.target)
        scratch = path.with_suffix(".new")
        scratch.write_text(record.model_dump_json(indent=1) + "\n")
        scratch.replace(path)
        self.remove_unfinished()
        return NovaEnvironment(record, self.folder / _ENVIRONMENTS / record.folder)

    def new_folder(self) -> Path:
        """Return a new folder for one more environment; the caller must hold the lock.

        A folder is never used twice: a pip whose ``add`` was killed may still write to the old one.
        """
        folder = self.folder / _ENVIRONMENTS
        folder.mkdir(parents=True, exist_ok=True)
        return folder / secrets.token_hex(4)

    def remove_unfinished(self) -> None:
        """Remove the folders that no record names, left by a killed ``add``; the caller must hold the lock."""
        kept = {found.path for found in self.all()}
        for path in (self.folder / _ENVIRONMENTS).glob("*"):
            if path not in kept:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def locked(self, progress: Progress = lambda _text: None) -> Iterator[None]:
        """Hold the lock that every change to the environments requires.

        Raises:
            HostError: the data folder cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                progress("waiting for another process that adds or removes a Nova")
                lock.acquire()
        except OSError as error:
            raise HostError(
                f"{self.folder} cannot be used: {error}", hint="set RESCUE_HARNESS_DATA to a folder that you own"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _record_path(self, target: str) -> Path:
        if not target.startswith("/"):
            return self.folder / f"{target}.json"
        slug = re.sub(r"[^A-Za-z0-9.-]+", "-", Path(target).name)
        return self.folder / f"checkout-{slug}-{hashlib.sha256(target.encode()).hexdigest()[:12]}.json"

    def _read(self, path: Path) -> NovaEnvironment | None:
        try:
            record = EnvironmentRecord.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        found = NovaEnvironment(record, self.folder / _ENVIRONMENTS / record.folder)
        return found if found.python.exists() else None


def _version_key(environment: NovaEnvironment) -> Version:
    return Version("0") if environment.record.is_checkout else Version(environment.record.target)
