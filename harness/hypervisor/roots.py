"""State folders of the embedded driver, called roots: one process at a time uses a root, and cleans it first.

Everything that a run makes while it works (domains, overlays, sockets) lives below its root. So the next run in that
root, or ``rescue-harness clean``, finds everything that a killed run left. The kernel holds the lock of a root: the
lock ends with the process that took it.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from harness.errors import HostError, disk_error
from harness.hypervisor.connection import prepare_embedded_root
from harness.image import cache_root
from harness.scenario.words import MIB

SOCKET_PATH_LIMIT = 107
_LONGEST_BELOW_ROOT = len("/lib/qemu/domain-99999-0123456789012345678/monitor.sock")
_MAX_ROOTS = 64
_FIRST_DISPLAY_PORT = 5900
"""The first that libvirt takes by default, and the lowest that it takes at all."""
_DISPLAY_PORTS = 64
_PROBES = Path("cache", "qemu", "capabilities")
_EMULATORS = "qemu-system"
_SERVERS = ("qemu-nbd", "tgtd", "swtpm", "nova-worker", "libvirt-keeper", "libvirtd")
"""Server processes by name. virtiofsd is not among them: its root directory is its share, and it ends with its QEMU."""
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the user's own is made there
SMALLEST_FREE_BYTES = 128 * MIB
"""The space that must be free below a root for a run to begin."""


@dataclass(frozen=True)
class Leftovers:
    """The things that a dead run left in one root."""

    domains: tuple[str, ...]
    processes: tuple[int, ...]
    servers: tuple[int, ...]
    folders: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.domains or self.processes or self.servers or self.folders)

    def __str__(self) -> str:
        parts = [f"domain {name}" for name in self.domains]
        parts += [f"QEMU process {pid}" for pid in self.processes]
        parts += [f"server process {pid}" for pid in self.servers]
        parts += [f"folder {name}" for name in self.folders]
        return ", ".join(parts)


@dataclass(frozen=True)
class EmbeddedRoot:
    """A root that this process holds."""

    path: Path
    cleaned: Leftovers

    @property
    def work_path(self) -> Path:
        """The folder in which the cases of this run keep their disks."""
        return self.path / "work"


def display_ports(number: int) -> range:
    """Return the ports of the graphics servers of the guests in a root; no two roots share a port."""
    start = _FIRST_DISPLAY_PORT + number * _DISPLAY_PORTS
    return range(start, start + _DISPLAY_PORTS)


def roots_folder() -> Path:
    """Return the folder of all roots, with a path short enough for QEMU's monitor sockets (sockaddr_un has 108 bytes).

    Raises:
        HostError: the folder belongs to another user, or cannot be made.
    """
    folder = cache_root() / "hv"
    if len(str(folder)) + len("/99") + _LONGEST_BELOW_ROOT > SOCKET_PATH_LIMIT:
        folder = Path(tempfile.gettempdir()) / f"rescue-harness-{os.getuid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise disk_error(error, folder) from error
    if folder.stat().st_uid != os.getuid():
        raise HostError(f"{folder} belongs to somebody else", hint="set RESCUE_HARNESS_CACHE to a short path of yours")
    return folder


def memory_roots_folder() -> Path | None:
    """Return the folder of roots in memory, or None if the host has no place for it.

    Roots in memory are for domains that are only defined, never started: on a disk, libvirt would sync each file. The
    first use after a reboot costs a few seconds, because libvirt probes QEMU again.
    """
    if not os.access(_MEMORY, os.W_OK):
        return None
    folder = _MEMORY / f"rescue-harness-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder if folder.stat().st_uid == os.getuid() else None


@contextmanager
def held_root(*, pass_over_leftovers: bool = False, in_memory: bool = False) -> Iterator[EmbeddedRoot]:
    """Hold the first free root until the end of the context.

    Leftovers of a dead run in that root are removed. With ``pass_over_leftovers``, a root with leftovers is not taken.

    Raises:
        HostError: libvirt does not work, or all roots are taken.
    """
    folder = memory_roots_folder() if in_memory else None
    # In a container /dev/shm is often too small.
    if folder is None or shutil.disk_usage(folder).free < 2 * SMALLEST_FREE_BYTES:
        folder = roots_folder()
    for number in count():
        if number == _MAX_ROOTS:
            raise HostError(f"{_MAX_ROOTS} other runs are active, which is the limit", hint="wait until one ends")
        path = folder / str(number)
        path.mkdir(exist_ok=True, mode=0o700)
        lock = FileLock(path / "owner.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        if pass_over_leftovers and _leftovers(path):
            lock.release()
            continue
        try:
            cleaned = clean_root(path)
            prepare_embedded_root(path, display_ports(number))
            take_over_probes(path, [other for other in _existing_roots() if other != path])
            yield EmbeddedRoot(path, cleaned)
        finally:
            lock.release()
        return


def take_over_probes(path: Path, others: Iterable[Path]) -> None:
    """Copy libvirt's probes of QEMU from another root to a new root, to save the seconds that probing anew takes.

    libvirt does not trust the copy blindly: it checks that QEMU, libvirt and host are the same (virQEMUCapsIsValid).
    """
    target, scratch = path / _PROBES, path / _PROBES.with_suffix(".new")
    source = next((other / _PROBES for other in others if (other / _PROBES).is_dir()), None)
    if target.exists() or source is None:
        return
    shutil.rmtree(scratch, ignore_errors=True)
    with suppress(OSError):
        shutil.copytree(source, scratch)
        scratch.rename(target)


def clean_all() -> list[tuple[Path, Leftovers]]:
    """Clean every root that no process holds; return each root that had leftovers, with the leftovers."""
    return _found_in_free_roots(clean_root)


def leftovers_everywhere() -> list[tuple[Path, Leftovers]]:
    """Return each root that has leftovers of dead runs, with the leftovers, and remove nothing."""
    return _found_in_free_roots(_leftovers)


def _found_in_free_roots(look: Callable[[Path], Leftovers]) -> list[tuple[Path, Leftovers]]:
    found = []
    for path in _existing_roots():
        try:
            with FileLock(path / "owner.lock").acquire(blocking=False):
                leftovers = look(path)
        except Timeout:
            continue
        if leftovers:
            found.append((path, leftovers))
    return found


def _existing_roots() -> list[Path]:
    folders = [folder for folder in (roots_folder(), memory_roots_folder()) if folder is not None]
    paths = (path for folder in folders for path in folder.iterdir())
    return sorted(path for path in paths if path.is_dir() and path.name.isdecimal())


def clean_root(path: Path) -> Leftovers:
    """Kill the processes of a root whose lock the caller holds, and remove the root's files; return the leftovers.

    The files that make the next start quick stay. libvirt need not be asked: the whole root belongs to the harness, and
    a process can open only one root.
    """
    leftovers = _leftovers(path)
    for pid in (*leftovers.processes, *leftovers.servers):
        _kill(pid)
    for name in ("work", "run", "lib", "log", "etc/qemu", "etc/secrets"):
        shutil.rmtree(path / name, ignore_errors=True)
    (path / "work").mkdir(mode=0o700)
    return leftovers


def _leftovers(path: Path) -> Leftovers:
    definitions = [*(path / "etc" / "qemu").glob("*.xml"), *(path / "run" / "qemu").glob("*.xml")]
    domains = tuple(sorted({definition.stem for definition in definitions}))
    return Leftovers(domains, _processes(path, _EMULATORS), _processes(path, _SERVERS), _work_folders(path))


def _work_folders(path: Path) -> tuple[str, ...]:
    work = path / "work"
    return tuple(sorted(entry.name for entry in work.iterdir())) if work.is_dir() else ()


def _processes(path: Path, names: str | tuple[str, ...]) -> tuple[int, ...]:
    """Return the processes whose names begin with one of ``names`` and whose command lines name a file of the root."""
    needle = f"{path}/"
    pids = []
    for process in psutil.process_iter(["pid", "name", "cmdline", "status"]):
        info = process.info
        if (
            (info["name"] or "").startswith(names)
            and info["status"] != psutil.STATUS_ZOMBIE
            and any(needle in f"{word}/" for word in info["cmdline"] or ())
            and _sees_our_files(info["pid"])
        ):
            pids.append(int(info["pid"]))
    return tuple(pids)


def _sees_our_files(pid: int) -> bool:
    """Tell whether a process has the same root directory as this one.

    In a chroot or a container the same path is another folder.
    """
    try:
        return Path(f"/proc/{pid}/root").samefile("/")
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    try:
        psutil.wait_procs([psutil.Process(pid)], timeout=5)
    except psutil.NoSuchProcess:
        return
