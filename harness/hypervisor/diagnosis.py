"""A diagnosis of this host, check by check; each failure comes with a remedy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from harness.errors import HarnessError
from harness.hypervisor.canary import find_accelerator
from harness.hypervisor.connection import connect, embedded_uri, version_text
from harness.hypervisor.firmware import find_uefi
from harness.hypervisor.host import find_emulator
from harness.hypervisor.optional_parts import OPTIONAL_PARTS
from harness.hypervisor.roots import held_root, leftovers_everywhere
from harness.image import ImageSet, cache_root, obtain_images
from harness.image.command import DEBIAN_TOOLS, require_tools

GIB = 1024**3
NEEDED_MEMORY_BYTES = GIB // 2
NEEDED_DISK_BYTES = 2 * GIB


@dataclass(frozen=True)
class Check:
    """The result of one check: whether the subject is good, what was seen, and a hint for the case that it is not.

    ``optional``: only some scenarios need the subject.
    """

    subject: str
    good: bool
    seen: str
    hint: str | None = None
    optional: bool = False


def diagnose(progress: Callable[[str], None]) -> Iterator[Check]:
    """Check everything that a run needs, in the order in which the run needs it."""
    yield _attempt("QEMU", _qemu)
    yield _attempt("libvirt", _libvirt)
    yield _attempt("BIOS firmware", _seabios)
    for machine in ("pc", "q35"):
        yield _attempt(f"UEFI firmware, {machine}", partial(_uefi, machine))
    yield _attempt("UEFI firmware, secure boot", partial(_uefi, "q35", secure_boot=True))
    images: list[ImageSet] = []
    yield _attempt("guest images", lambda: _images(progress, images))
    yield _attempt("Debian images", _debian_tools)
    if images:
        progress("booting the canary guest")
        yield _attempt("accelerator", lambda: find_accelerator(images[0], find_emulator()).reason)
    yield from _for_some_scenarios()
    memory = psutil.virtual_memory().available
    yield Check(
        "free memory", memory >= NEEDED_MEMORY_BYTES, _gib(memory), "a guest takes 256 MiB and its QEMU 192 MiB"
    )
    folder = cache_root()
    free = shutil.disk_usage(folder).free
    yield Check(
        "free disk", free >= NEEDED_DISK_BYTES, f"{_gib(free)} below {folder}", "free some, or set RESCUE_HARNESS_CACHE"
    )
    leftovers = leftovers_everywhere()
    yield Check(
        "leftovers",
        not leftovers,
        "; ".join(f"{path}: {found}" for path, found in leftovers) or "none",
        "'rescue-harness clean' removes them, as does the next run",
    )


def _for_some_scenarios() -> Iterator[Check]:
    for subject, look in OPTIONAL_PARTS.items():
        missing = look()
        if missing is None:
            yield Check(subject, good=True, seen="available", optional=True)
        else:
            yield Check(subject, good=False, seen=missing.message, hint=missing.hint, optional=True)


def _attempt(subject: str, look: Callable[[], str]) -> Check:
    try:
        return Check(subject, good=True, seen=look())
    except HarnessError as error:
        return Check(subject, good=False, seen=error.message, hint=error.hint)


def _qemu() -> str:
    emulator = find_emulator()
    version = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=False).stdout
    return f"{version.splitlines()[0] if version else 'no version'}, {emulator}"


def _debian_tools() -> str:
    require_tools(DEBIAN_TOOLS)
    return "the tools that make them are installed"


def _libvirt() -> str:
    with held_root(pass_over_leftovers=True) as root, connect(embedded_uri(root.path)) as connection:
        return f"{version_text(connection.getLibVersion())}, embedded driver in {root.path}"


def _uefi(machine: str, *, secure_boot: bool = False) -> str:
    return str(find_uefi(machine, secure_boot=secure_boot).code_path)


def _seabios() -> str:
    path = Path("/usr/share/seabios/bios-256k.bin")
    return f"{path}" if path.is_file() else "QEMU's own"


def _images(progress: Callable[[str], None], images: list[ImageSet]) -> str:
    images.append(obtain_images(progress))
    kernel = next((f"{name} {version}" for name, version in images[0].inputs.items() if "linux-image" in name), "")
    return f"{kernel}, {images[0].directory}"


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / GIB:.1f} GiB"
