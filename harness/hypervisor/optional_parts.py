"""The parts of the host that only some scenarios need: servers, emulators, devices; each with a remedy if missing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from harness.errors import HostError
from harness.image.command import run, search_path

VHOST_VSOCK = Path("/dev/vhost-vsock")
_QEMU_MODULES = "usr/lib/*/qemu/{}.so"
_VFAT_BYTES = 1024 * 1024
_VHOST_USER = Path("/usr/share/qemu/vhost-user")


def lacks_nbd() -> HostError | None:
    """Return the error that names the missing part for volumes behind an NBD server, or None."""
    return _lacks_packages("an NBD volume ('backend: nbd')", {"qemu-utils": _on_path("qemu-nbd")})


def lacks_iscsi() -> HostError | None:
    """Return the error that names the missing parts for volumes behind an iSCSI server, or None.

    The parts are the server and QEMU's iSCSI driver, which is a module of its own.
    """
    driver = any(Path("/").glob(_QEMU_MODULES.format("block-iscsi")))
    return _lacks_packages("an iSCSI volume ('backend: iscsi')", {"tgt": _on_path("tgtd"), "qemu-block-extra": driver})


def lacks_tpm() -> HostError | None:
    """Return the error that names the missing parts for emulated TPMs, or None."""
    packages = {"swtpm": _on_path("swtpm"), "swtpm-tools": _on_path("swtpm_setup")}
    return _lacks_packages("a TPM ('hw_tpm_version')", packages)


def lacks_virtiofs() -> HostError | None:
    """Return the error that names the missing part for virtiofs shares, or None.

    virtiofs needs root: to any other user libvirt 9.0 says "not yet supported in session mode".
    """
    if os.getuid():
        return HostError("a virtiofs share takes root: libvirt has it for no other user", hint="run as root, or use 9p")
    daemons = (path.read_text() for path in _VHOST_USER.glob("*.json"))
    return _lacks_packages("a virtiofs share", {"virtiofsd": any('"fs"' in daemon for daemon in daemons)})


def lacks_vsock() -> HostError | None:
    """Return the error that says why vsock devices are not possible here, or None."""
    if os.access(VHOST_VSOCK, os.R_OK | os.W_OK):
        return None
    absent = "which this user may not open" if VHOST_VSOCK.exists() else "which this host does not have"
    return HostError(
        f"a vsock device takes {VHOST_VSOCK}, {absent}",
        hint="modprobe vhost_vsock, as root; in a container, hand the device in; --level plan does without it",
    )


@cache
def lacks_vfat_mounts() -> HostError | None:
    """Return the error that says why this host mounts no file with a vfat file system, or None.

    The only proof is to mount one: a container may lack the right, the loop device or the kernel's module.
    """
    with tempfile.TemporaryDirectory(prefix="rh-vfat-") as folder:
        image, mounted = Path(folder) / "image", Path(folder) / "mounted"
        mounted.mkdir()
        try:
            with image.open("wb") as file:
                file.truncate(_VFAT_BYTES)
            run("mkfs", "-t", "vfat", image)
            run("mount", "-o", "loop", image, mounted)
            run("umount", mounted)
        except HostError as error:
            command, *said = error.message.splitlines()
            reason = said[0].strip(" |") if said else command
            return HostError(
                f"Nova fills a config drive in vfat by mounting it, and this host cannot: {reason}",
                hint="apt-get install dosfstools; modprobe loop and vfat, as root; 'format: iso9660' does without them",
            )
    return None


OPTIONAL_PARTS: Mapping[str, Callable[[], HostError | None]] = {
    "NBD volumes": lacks_nbd,
    "iSCSI volumes": lacks_iscsi,
    "TPM": lacks_tpm,
    "virtiofs": lacks_virtiofs,
    "vsock": lacks_vsock,
    "vfat mounts": lacks_vfat_mounts,
}
"""The check of each part, by the part's name in the output of ``doctor``."""


def _on_path(tool: str) -> bool:
    return shutil.which(tool, path=search_path()) is not None


def _lacks_packages(what: str, packages: Mapping[str, bool]) -> HostError | None:
    missing = [package for package, installed in packages.items() if not installed]
    if not missing:
        return None
    return HostError(f"{what} takes {' and '.join(missing)}", hint=f"apt-get install {' '.join(missing)}")
