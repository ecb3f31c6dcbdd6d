"""The hypervisor that a run works with: connection, versions, accelerator, and deadlines that suit its speed."""

from __future__ import annotations

import platform
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import libvirt

from harness import __version__
from harness.errors import HostError
from harness.hypervisor.canary import Accelerator
from harness.hypervisor.connection import connect, embedded_uri, version_text
from harness.hypervisor.roots import SMALLEST_FREE_BYTES, EmbeddedRoot, held_root
from harness.image import ImageSet
from harness.scenario.words import MIB

BOOT_FACTOR = 25.0
"""The time that the slowest medium may take, in canary boots: USB 1.1 under load took 12 of them."""
SHORTEST_BOOT_DEADLINE_S = 60.0
FAR_FACTOR = 4.0
"""The time by the wall clock that a boot or a command may take, in times of the guest's own time."""
SHORTEST_SHUTDOWN_DEADLINE_S = 60.0


@dataclass(frozen=True)
class Pace:
    """Deadlines in seconds, scaled from the canary's measured time.

    ``slowness`` says how many times as long a guest takes as the harness's own guest.
    """

    canary_s: float
    boot_timeout_s: float | None = None
    slowness: float = 1.0

    @property
    def boot_s(self) -> float:
        """The time of its own that a guest may take from its start to its ready line."""
        return self.boot_timeout_s or self.slowness * max(SHORTEST_BOOT_DEADLINE_S, BOOT_FACTOR * self.canary_s)

    @property
    def far_boot_s(self) -> float:
        """The time by the wall clock after which a boot is given up, however busy the host is."""
        return FAR_FACTOR * self.boot_s

    @property
    def far_command_s(self) -> float:
        """The time by the wall clock after which a command is given up, however busy the host is."""
        return FAR_FACTOR * self.command_s

    @property
    def quiet_s(self) -> float:
        """The time without any activity after which a guest whose time is used up is given up."""
        return max(5.0, self.canary_s)

    def patient(self, factor: float) -> Pace:
        """Return the pace of a guest that takes ``factor`` times as long; a time-out set by the user stays the same."""
        return Pace(self.canary_s, self.boot_timeout_s, self.slowness * factor)

    @property
    def shutdown_s(self) -> float:
        """The time that a guest may take to shut down; at least Nova's default ``shutdown_timeout``."""
        return self.slowness * max(SHORTEST_SHUTDOWN_DEADLINE_S, 8 * self.canary_s)

    @property
    def command_s(self) -> float:
        """The time of the guest's own that one command over SSH may take, and the time for the handshake."""
        return self.slowness * max(30.0, 8 * self.canary_s)

    @property
    def banner_s(self) -> float:
        """The time that an SSH server may take for its first bytes before the harness connects anew."""
        return self.slowness * max(5.0, self.canary_s)


@dataclass(frozen=True)
class Hypervisor:
    """One QEMU and libvirt at known versions, with a proven accelerator, behind a connection."""

    connection: libvirt.virConnect
    root: EmbeddedRoot
    emulator: str
    accelerator: Accelerator
    pace: Pace
    versions: dict[str, str]
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the run is to end: no thread waits for a guest any longer."""


def find_emulator() -> str:
    """Return the path of qemu-system-x86_64.

    Raises:
        HostError: QEMU is not installed.
    """
    emulator = shutil.which("qemu-system-x86_64")
    if emulator is None:
        raise HostError("qemu-system-x86_64 is not on this host", hint="install the package qemu-system-x86")
    return emulator


@contextmanager
def open_hypervisor(
    accelerator: Accelerator, images: ImageSet | None, *, boot_timeout_s: float | None = None
) -> Iterator[Hypervisor]:
    """Open the embedded hypervisor until the end of the context. Without images no domain can be started.

    Raises:
        HostError: QEMU or libvirt is missing or does not work.
    """
    emulator = find_emulator()
    with ExitStack() as stack:
        root = stack.enter_context(held_root(in_memory=images is None))
        _require_space(root.path)
        connection = stack.enter_context(connect(embedded_uri(root.path)))
        yield Hypervisor(
            connection=connection,
            root=root,
            emulator=emulator,
            accelerator=accelerator,
            pace=Pace(accelerator.canary_s, boot_timeout_s),
            versions=versions_of(connection) | ({} if images is None else {"guest kernel": guest_kernel(images)}),
        )


def versions_of(connection: libvirt.virConnect) -> dict[str, str]:
    """Return the versions of QEMU, libvirt, host kernel, Python and harness, and the host's architecture, as text."""
    return {
        "qemu": version_text(connection.getVersion()),
        "libvirt": version_text(connection.getLibVersion()),
        "host kernel": platform.release(),
        "host architecture": platform.machine(),
        "python": platform.python_version(),
        "rescue-harness": __version__,
    }


def _require_space(path: Path) -> None:
    """Raise an error if the disk is nearly full.

    On a full disk libvirt finds no emulator and guests stop at odd places; this error comes earlier and is plainer.
    """
    free = shutil.disk_usage(path).free
    if free < SMALLEST_FREE_BYTES:
        raise HostError(
            f"No space left on device: {free // MIB} MiB free below {path}, a run takes {SMALLEST_FREE_BYTES // MIB}",
            hint="free some space there, or set RESCUE_HARNESS_CACHE to a folder that has it",
        )


def guest_kernel(images: ImageSet) -> str:
    """Return the Debian package and version of the kernel in the images."""
    return next(
        (f"{name} {version}" for name, version in images.inputs.items() if name.startswith("linux-image")), "unknown"
    )
