"""Results and artefacts on disk: a folder for each run and each case, written as soon as the contents are known."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from harness.errors import ScenarioError, disk_error
from harness.evidence.inventory import Inventory
from harness.guest.booted import BootedGuest, qemu_log_path
from harness.result.case_result import CaseResult, RunSummary

_SUMMARY = "run.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 120


def utc_now() -> str:
    """Return the time in ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def folder_name(case: str) -> str:
    """Return a folder name for a case's id that needs no quotes in a shell; too long a name ends in a digest."""
    name = _UNSAFE.sub("-", case).strip("-")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{hashlib.sha256(case.encode()).hexdigest()[:8]}"


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old or the new text, never half.

    Raises:
        HostError: the disk is full, or the folder may not be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            scratch = Path(file.name)
            try:
                file.write(text)
                file.flush()
                scratch.chmod(0o644)
                scratch.replace(path)
            except OSError:
                scratch.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise disk_error(error, path.parent, variable="--results") from error


def read_run(folder: Path) -> RunSummary:
    """Read the results that a run left in its folder.

    Raises:
        ScenarioError: the folder holds no run.
    """
    path = folder / _SUMMARY
    try:
        return RunSummary.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ScenarioError(
            f"{folder} holds no results: {error.strerror or error}: {path}",
            hint="name the folder that 'rescue-harness run' printed last",
        ) from error
    except ValidationError as error:
        raise ScenarioError(
            f"{path} is not the summary of a run",
            hint="the file is damaged, or another version of rescue-harness wrote it: run the cases again",
        ) from error


@dataclass(frozen=True)
class RunsRead:
    """The runs that were read, and the folders that hold something else."""

    runs: tuple[RunSummary, ...]
    passed_over: tuple[Path, ...]


def read_runs(folders: Iterable[Path]) -> RunsRead:
    """Read the runs in several folders; pass over the folders of sweeps and of fixtures, which hold no run.

    Raises:
        ScenarioError: a folder does not exist, a summary is damaged, or no folder holds a run.
    """
    runs, passed_over, missing = [], [], None
    for folder in folders:
        try:
            runs.append(read_run(folder))
        except ScenarioError as error:
            if not folder.is_dir() or (folder / _SUMMARY).exists():
                raise
            passed_over.append(folder)
            missing = error
    if not runs and missing is not None:
        raise missing
    return RunsRead(tuple(runs), tuple(passed_over))


@dataclass(frozen=True)
class CaseFolder:
    """The artefacts of one case."""

    path: Path

    def write(self, name: str, text: str) -> None:
        """Write one artefact, such as ``rescued/live.xml``."""
        write_atomically(self.path / name, text)

    def keep_boot(self, name: str, guest: BootedGuest, defined_xml: str, inventory: Inventory) -> None:
        """Keep the artefacts of a boot: defined XML, live XML, console, QEMU's log, inventory."""
        self.write(f"{name}/defined.xml", defined_xml)
        self.write(f"{name}/live.xml", guest.live_xml)
        self.keep(f"{name}/console.log", guest.console.path)
        self.keep(f"{name}/qemu.log", qemu_log_path(guest.hypervisor, guest.domain.name()))
        self.write(f"{name}/inventory.json", inventory.model_dump_json(indent=1))

    def keep(self, name: str, source: Path) -> None:
        """Copy a log, if it exists.

        Raises:
            HostError: the disk is full.
        """
        target = self.path / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_file():
                shutil.copyfile(source, target)
        except OSError as error:
            raise disk_error(error, self.path, variable="--results") from error


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run. Safe between threads and between processes that share it."""

    path: Path
    started_at: str
    accelerator: str
    versions: dict[str, str]

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """The results that any process has added so far, in the order in which they were added."""
        summary = self._summary()
        return () if summary is None else summary.results

    def case_folder(self, case: str) -> CaseFolder:
        """Make a new folder for a case; cases of the same name, from different files, each get their own.

        Raises:
            HostError: the disk is full.
        """
        for number in count(1):
            path = self.path / (folder_name(case) if number == 1 else f"{folder_name(case)}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise disk_error(error, self.path, variable="--results") from error
            return CaseFolder(path)
        raise AssertionError

    def add(self, result: CaseResult) -> None:
        """Write a case's ``result.json`` and the run's summary.

        Raises:
            HostError: the disk is full.
        """
        write_atomically(self.path / result.artefacts / "result.json", result.model_dump_json(indent=1) + "\n")
        with _held(self.path):
            summary = self._summary() or RunSummary(
                started_at=self.started_at, accelerator=self.accelerator, versions=self.versions, results=()
            )
            summary = summary.model_copy(update={"results": (*summary.results, result)})
            write_atomically(self._summary_path, summary.model_dump_json(indent=1) + "\n")

    @property
    def _summary_path(self) -> Path:
        return self.path / _SUMMARY

    def _summary(self) -> RunSummary | None:
        try:
            return RunSummary.model_validate_json(self._summary_path.read_bytes())
        except FileNotFoundError:
            return None


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder's summary; the kernel releases the lock if the process dies."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise disk_error(error, folder, variable="--results") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
