"""``rescue-harness nova add``: a virtual environment for one Nova, checked by its own worker."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

from packaging.version import Version

from harness.errors import HostError, ScenarioError
from harness.image.command import quoted
from harness.implementation.nova.checkout import UNKNOWN_VERSION, checkout_version, require_checkout
from harness.implementation.nova.constraints import constraints_text
from harness.implementation.nova.environments import (
    EnvironmentRecord,
    Environments,
    NovaEnvironment,
    Progress,
    python_of,
)
from harness.implementation.nova.messages import Describe, Description
from harness.implementation.nova.process import LAST_LINES, Worker

IMPORT_TIMEOUT_S = 300.0
"""Importing Nova takes 2 s, and much longer the first time on a slow or busy disk."""
_SETUPTOOLS = "setuptools<81"
"""Nova's older libraries use pkg_resources without declaring the dependency."""
_AVAILABLE = re.compile(r"from versions: ([^)]*)\)")


def add_nova(
    environments: Environments, target: str, constraints: str | None, progress: Progress = lambda _text: None
) -> NovaEnvironment:
    """Make an environment. Once it is ready it replaces an earlier one of the same name; a failure leaves nothing.

    Raises:
        ScenarioError: there is no such release, the folder is no checkout, or the constraints are no constraints.
        HostError: a dependency cannot be installed, or Nova does not import.
    """
    is_checkout = target.startswith("/")
    if is_checkout:
        require_checkout(Path(target))
    known_version = _known(checkout_version(Path(target))) if is_checkout else target
    with environments.locked(progress):
        environments.remove_unfinished()
        text, source = constraints_text(constraints, known_version)
        folder = environments.new_folder()
        log_path = environments.folder / "add.log"
        try:
            _install(folder, target, text, log_path, progress)
            progress("importing Nova")
            description = describe(folder, log_path, target)
            record = EnvironmentRecord(
                target=target,
                folder=folder.name,
                constraints=source,
                description=description,
                libvirt_python=installed_version("libvirt-python"),
                added_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            return environments.keep(record)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _known(version: str) -> str | None:
    return None if version == UNKNOWN_VERSION else version


def _install(folder: Path, target: str, constraints: str, log_path: Path, progress: Progress) -> None:
    progress("making the virtual environment")
    log_path.write_text("")
    _run([sys.executable, "-m", "venv", str(folder)], log_path, f"no virtual environment could be made in {folder}")
    pip = [str(python_of(folder)), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off"]
    if not target.startswith("/"):
        progress(f"looking for Nova {target}")
        try:
            _run([*pip, "--no-deps", f"nova=={target}"], log_path, f"Nova {target} cannot be installed", progress)
        except HostError as error:
            raise _no_such_release(target, log_path) or error from error
    wanted = [f"libvirt-python=={installed_version('libvirt-python')}", _SETUPTOOLS]
    wanted += ["-r", f"{target}/requirements.txt"] if target.startswith("/") else [f"nova=={target}"]
    with tempfile.NamedTemporaryFile("w", prefix="rescue-harness-constraints-", suffix=".txt") as file:
        file.write(constraints)
        file.flush()
        _run(
            [*pip, "--constraint", file.name, *wanted],
            log_path,
            f"what Nova {target} depends on cannot be installed",
            progress,
        )
    if target.startswith("/"):
        # An editable install would write into the user's checkout; a line in a .pth file does not.
        (site,) = (folder / "lib").glob("python3*/site-packages")
        (site / "nova-checkout.pth").write_text(f"{target}\n")


def _no_such_release(target: str, log_path: Path) -> ScenarioError | None:
    """Return the error for a release that does not exist, if pip says so."""
    text = log_path.read_text(errors="replace")
    if "No matching distribution found for nova==" not in text:
        return None
    found = _AVAILABLE.search(text)
    versions = [] if found is None else [each.strip() for each in found[1].split(",") if each.strip() != "none"]
    wanted = Version(target)
    near = sorted(versions, key=lambda each: abs(Version(each).major - wanted.major))[:1]
    same = [each for each in versions if near and Version(each).major == Version(near[0]).major]
    hint = f"near it there are: {', '.join(same)}" if same else "the package index knows no release at all"
    return ScenarioError(f"there is no Nova {target} for Python {sys.version_info[0]}.{sys.version_info[1]}", hint=hint)


def _run(command: Sequence[str], log_path: Path, trouble: str, progress: Progress = lambda _text: None) -> None:
    """Run a command to its end; write its output to the log, and report its present task to ``progress``."""
    count = 0
    with (
        log_path.open("a") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                log.write(line)
                words = line.split()
                if words[:1] == ["Collecting"] and len(words) > 1:
                    count += 1
                    progress(f"package {count}, {words[1]}")
                elif words[:1] == ["Building"] or words[:2] == ["Installing", "collected"]:
                    progress(" ".join(words[:3]).rstrip(":"))
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # pip and the compilers that it started
            raise
    if process.returncode != 0:
        raise HostError(f"{trouble}{_told(log_path)}", hint=f"the whole log is in {log_path}")


def _told(log_path: Path) -> str:
    """Return the log from its first error on, or the log's end."""
    lines = log_path.read_text(errors="replace").splitlines()
    first = next((number for number, line in enumerate(lines) if line.lstrip().startswith(("ERROR:", "error:"))), None)
    shown = lines[-LAST_LINES:] if first is None else lines[first : first + LAST_LINES]
    return quoted(shown)


def describe(folder: Path, log_path: Path, target: str) -> Description:
    """Ask the Nova in an environment for its description, which proves that Nova imports.

    Raises:
        HostError: Nova does not import.
    """
    version = checkout_version(Path(target)) if target.startswith("/") else None
    worker = Worker(python_of(folder), folder, log_path, name=f"Nova {target}", version=version)
    try:
        answer = worker.ask(Describe(), IMPORT_TIMEOUT_S)
    except HostError as error:
        raise HostError(
            f"Nova {target} is installed and does not import; {error.message}",
            hint="a release needs its own upper constraints: give them with --constraints",
        ) from error
    finally:
        worker.close()
    if answer.description is None:
        raise HostError(f"Nova {target} did not tell its version")
    return answer.description
