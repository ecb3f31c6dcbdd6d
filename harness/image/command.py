"""Running the host's tools, with failures that quote the tool's output."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from harness.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LAST_LINES = 8

# Debian keeps mkfs.vfat and depmod there; a user's PATH often lacks these folders.
_SYSTEM_PATH = "/usr/sbin:/sbin"

TOOL_PACKAGES: Mapping[str, str] = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "depmod": "kmod",
    "dpkg": "dpkg",
    "fakeroot": "fakeroot",
    "mcopy": "mtools",
    "mmd": "mtools",
    "mke2fs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mmdebstrap": "mmdebstrap",
    "newuidmap": "uidmap",
    "setpriv": "util-linux",
    "tar": "tar",
    "unshare": "util-linux",
    "xorriso": "xorriso",
}


def search_path() -> str:
    """Return the PATH by which the harness finds tools."""
    return f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATH}"


_TOOLS_OF_BOTH = ("apt-cache", "apt-get", "dpkg", "mcopy", "mkfs.vfat", "mmd")
IMAGE_TOOLS = (*_TOOLS_OF_BOTH, "depmod", "xorriso")
"""The tools that build the harness's own guest."""
DEBIAN_TOOLS = (
    *(*_TOOLS_OF_BOTH, "fakeroot", "mke2fs", "mmdebstrap", "setpriv", "tar", "unshare"),
    *(() if os.geteuid() == 0 else ("newuidmap",)),
)
"""The tools that build the Debian images; ``newuidmap`` is for mmdebstrap in a user namespace."""


def missing_tools(tools: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``tools`` that this host lacks."""
    return tuple(sorted(tool for tool in tools if shutil.which(tool, path=search_path()) is None))


def require_tools(tools: Iterable[str] = IMAGE_TOOLS) -> None:
    """Raise HostError with the packages to install if a tool of the build is missing."""
    missing = missing_tools(tools)
    if missing:
        packages = " ".join(sorted({TOOL_PACKAGES[tool] for tool in missing}))
        raise HostError(f"building the images needs {', '.join(missing)}", hint=f"apt-get install {packages}")


def run(*command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Return the standard output of ``command``.

    Raises HostError if the command is missing or fails; the message has the command and its last lines.
    """
    words = [str(word) for word in command]
    variables = os.environ | {"LC_ALL": "C.UTF-8", "PATH": search_path()} | dict(environment or {})
    try:
        done = subprocess.run(
            words, cwd=cwd, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        package = TOOL_PACKAGES.get(words[0])
        raise HostError(
            f"{words[0]} is not installed", hint=f"apt-get install {package}" if package else None
        ) from error
    if done.returncode != 0:
        output = quoted((done.stdout + done.stderr).splitlines()[-LAST_LINES:])
        raise HostError(f"{' '.join(words)} failed with exit code {done.returncode}{output}", hint=_hint(output))
    return done.stdout


def quoted(lines: Iterable[str]) -> str:
    """Return a program's output as a message quotes it: each line on a new line, after a bar; empty without lines."""
    return "".join(f"\n  | {line}" for line in lines)


def _hint(output: str) -> str | None:
    if "No space left" in output or "Disk full" in output:
        return "free some space where the image cache or the temporary folder is"
    return None
