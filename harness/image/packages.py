"""Debian packages as raw material: resolved and downloaded by apt, unpacked without being installed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HostError
from harness.image.command import run

if TYPE_CHECKING:
    from harness.image.recipe import Recipe

_APT_STATE = (
    "/etc/apt/sources.list",
    "/etc/apt/preferences",
    "/var/lib/dpkg/status",
)
_APT_FOLDERS = (
    "/etc/apt/apt.conf.d",
    "/etc/apt/sources.list.d",
    "/etc/apt/preferences.d",
    "/var/lib/apt/lists",
)


_DOWNLOAD_SETTINGS = ("Acquire::http", "Acquire::https", "Acquire::Retries")
_SOURCE_FORMAT = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"


class PackagesUnavailableError(HostError):
    """Apt has no package lists, or a package in the lists cannot be fetched."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="apt-get update; the images are made from packages of Debian's own archive")


def _apt_fingerprint(names: tuple[str, ...]) -> str:
    """Return a hash that changes whenever apt could resolve ``names`` differently.

    The hash costs milliseconds; apt-cache costs half a second.
    """
    digest = hashlib.sha256("\0".join(names).encode())
    paths = [Path(name) for name in _APT_STATE]
    for folder in map(Path, _APT_FOLDERS):
        if folder.is_dir():
            paths.extend(sorted(path for path in folder.iterdir() if path.is_file() and path.name != "lock"))
    for path in paths:
        if path.exists():
            status = path.stat()
            digest.update(f"\0{path}\0{status.st_mtime_ns}\0{status.st_size}".encode())
    return digest.hexdigest()


def resolve_inputs(recipe: Recipe, memory: Path) -> dict[str, str]:
    """Return the version apt would take for each package the images are made from.

    ``memory`` is a file in which the answer is kept for as long as apt's own state does not change.
    Raises PackagesUnavailableError if apt knows no version of one of them.
    """
    names = (recipe.kernel_package, *recipe.guest_packages, *recipe.library_packages, *recipe.loader_packages)
    return resolve_packages(names, memory, kernel=recipe.kernel_package)


def resolve_packages(names: tuple[str, ...], memory: Path, *, kernel: str | None = None) -> dict[str, str]:
    """Return the version apt would take for each named package, and for the package behind the metapackage ``kernel``.

    ``memory`` and errors are as for ``resolve_inputs``.
    """
    fingerprint = _apt_fingerprint(names)
    try:
        remembered = json.loads(memory.read_text(encoding="utf-8"))
        if remembered["apt"] == fingerprint:
            return {str(name): str(version) for name, version in remembered["packages"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    resolved = _candidates({*names, *([_versioned_kernel(kernel)] if kernel else [])})
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"apt": fingerprint, "packages": resolved}, indent=1), encoding="utf-8")
    return resolved


@dataclass(frozen=True)
class DebianSources:
    """The release of Debian's own archive that this host's apt uses, and the archive's lines of sources.list(5)."""

    suite: str
    lines: tuple[str, ...]


def download_settings() -> tuple[str, ...]:
    """Return the lines of apt.conf(5) with the proxies, certificates and retries of this host's apt."""
    try:
        dumped = run("apt-config", "dump", "--no-empty", "Acquire")
    except HostError as error:
        raise PackagesUnavailableError(error.message) from error
    return tuple(line for line in dumped.splitlines() if line.startswith(_DOWNLOAD_SETTINGS))


def debian_sources() -> DebianSources:
    """Return Debian's own archive, or a mirror of the archive, as this host's apt is set up to use it.

    Raises PackagesUnavailableError if apt knows of no such archive.
    """
    try:
        listed = run("apt-get", "indextargets", "--format", _SOURCE_FORMAT, "Created-By: Packages")
    except HostError as error:
        raise PackagesUnavailableError(error.message) from error
    rows = sorted({tuple(line.split("|")) for line in listed.splitlines()})
    found = [(uri, suite, component) for origin, uri, suite, component in rows if origin == "Debian"]
    release = min((suite for _, suite, component in found if component == "main"), key=len, default=None)
    if release is None:
        raise PackagesUnavailableError("apt knows no archive of Debian's own")
    return DebianSources(release, tuple(f"deb {uri} {suite} {component}" for uri, suite, component in found))


def _apt_cache(*words: str) -> str:
    try:
        return run("apt-cache", *words)
    except HostError as error:
        raise PackagesUnavailableError(error.message) from error


def _versioned_kernel(metapackage: str) -> str:
    for line in _apt_cache("depends", metapackage).splitlines():
        if match := re.fullmatch(r"\s*Depends: (linux-image-\d\S+)", line):
            return match.group(1)
    raise PackagesUnavailableError(f"apt does not know which kernel {metapackage} stands for")


def _candidates(names: set[str]) -> dict[str, str]:
    versions: dict[str, str] = {}
    package = ""
    for line in _apt_cache("policy", *sorted(names)).splitlines():
        if not line.startswith(" "):
            package = line.rstrip(":")
        elif match := re.fullmatch(r"  Candidate: (\S+)", line):
            versions[package] = match.group(1)
    if missing := sorted(name for name in names if versions.get(name, "(none)") == "(none)"):
        raise PackagesUnavailableError(f"apt knows no version of {', '.join(missing)}")
    return {name: versions[name] for name in sorted(names)}


def unpack(inputs: dict[str, str], root: Path, downloads: Path) -> None:
    """Download ``inputs`` and unpack them below ``root``; needs no root and installs nothing.

    Raises PackagesUnavailableError if a download fails.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    try:
        run("apt-get", "download", *(f"{name}={version}" for name, version in inputs.items()), cwd=downloads)
    except HostError as error:
        raise PackagesUnavailableError(error.message) from error
    for archive in sorted(downloads.glob("*.deb")):
        run("dpkg", "-x", archive, root)
