"""Results and artefacts on disk: one folder a run, one a case, written as soon as they are known."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from harness.evidence.inventory import Inventory
from harness.guest.booted import BootedGuest, qemu_log_path
from harness.run.disks import disk_error
from harness.run.result import CaseResult, RunSummary

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def utc_now() -> str:
    """The time in ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def folder_name(case: str) -> str:
    """A case's id as a folder name that no shell needs quoted."""
    return _UNSAFE.sub("-", case).strip("-")


def write_atomically(path: Path, text: str) -> None:
    """Write a file that is either old or new, never half.

    Raises:
        HostError: the disk is full or the folder is not ours.
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


@dataclass(frozen=True)
class CaseFolder:
    """The artefacts of one case."""

    path: Path

    def write(self, name: str, text: str) -> None:
        """Write one artefact, such as ``rescued/live.xml``."""
        write_atomically(self.path / name, text)

    def keep_boot(self, name: str, guest: BootedGuest, defined_xml: str, inventory: Inventory) -> None:
        """Keep what a boot showed: XML as defined and as live, console, QEMU's log, inventory."""
        self.write(f"{name}/defined.xml", defined_xml)
        self.write(f"{name}/live.xml", guest.live_xml)
        self.keep(f"{name}/console.log", guest.console.path)
        self.keep(f"{name}/qemu.log", qemu_log_path(guest.hypervisor, guest.domain.name()))
        self.write(f"{name}/inventory.json", inventory.model_dump_json(indent=1))

    def keep(self, name: str, source: Path) -> None:
        """Copy a log, where it exists.

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


@dataclass
class RunFolder:
    """The folder of one run. Safe between threads."""

    path: Path
    started_at: str
    accelerator: str
    versions: dict[str, str]
    results: list[CaseResult] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def case_folder(self, case: str) -> CaseFolder:
        """A new folder for one case; cases of the same name, from different files, get one each.

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
        with self._lock:
            self.results.append(result)
            write_atomically(self.path / result.artefacts / "result.json", result.model_dump_json(indent=1) + "\n")
            summary = RunSummary(
                started_at=self.started_at,
                accelerator=self.accelerator,
                versions=self.versions,
                results=tuple(self.results),
            )
            write_atomically(self.path / "run.json", summary.model_dump_json(indent=1) + "\n")


def new_run_path(parent: Path) -> Path:
    """A fresh folder below ``parent``, named by the time; ``latest`` points to it.

    Raises:
        HostError: it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=f"{stamp}-", dir=parent))
        path.chmod(0o755)
        link = parent / "latest"
        scratch = parent / f".latest-{os.getpid()}"
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(path.name)
        scratch.replace(link)
    except OSError as error:
        raise disk_error(error, parent, variable="--results") from error
    return path
