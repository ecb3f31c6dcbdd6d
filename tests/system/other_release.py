"""A fresh root of another release of Debian, and commands in it: nothing stays mounted or running, however they end."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.image.command import run
from harness.image.debian import contained
from harness.image.packages import PackagesUnavailableError, debian_sources, download_settings

PROJECT = Path(__file__).parents[2]
_NOT_THE_SOURCE = (".git", ".venv", ".setup", "results", "__pycache__", ".*_cache")
_BARE = ("make", "python3", "python3-venv")
"""What README and .ci/run suppose on a fresh host."""
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_PROXY = re.compile(r"(?:http|https|ftp|all|no)_proxy", re.IGNORECASE)

# The root is mounted over itself, because unshare in it takes a root that is a mount point. /dev/shm is its own: the
# harness keeps state folders there. A word before -- is a path to mount, at the same place or, as SOURCE=TARGET, at
# another one.
_ENTER = """\
root=$1
shift
mount --rbind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
while [ "$1" != -- ]; do
    source=${1%%=*} target=$root${1##*=}
    if [ -d "$source" ]; then mkdir -p "$target"; else mkdir -p "${target%/*}" && touch "$target"; fi
    mount --bind "$source" "$target"
    shift
done
shift
cd "$root/src"
exec chroot "$root" sh -ec 'cd /src && exec "$@"' sh "$@"
"""


@dataclass(frozen=True)
class OtherRoot:
    """A root with the project in /src; ``settings`` are its variables, ``mounts`` the paths of this host in it."""

    path: Path
    settings: dict[str, str]
    mounts: tuple[str, ...]

    def run(self, *command: str, timeout_s: float) -> str:
        """Return what a command in the project's folder writes. Fails with it if the command does."""
        enter = (*contained(), "sh", "-euc", _ENTER, "sh", str(self.path), *self.mounts, "--")
        done = subprocess.run(
            [*enter, *command],
            env=_ENVIRONMENT | self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout


@contextmanager
def other_root(folder: Path, here: str, codename: str, downloads: Path) -> Iterator[OtherRoot]:
    """Install the release ``codename``, as bare as README supposes a host, from the archive of this host's apt.

    ``here`` is this host's own codename; ``downloads`` keeps packages of Debian and of Python.
    Raises HostError if mmdebstrap fails, PackagesUnavailableError if apt knows no archive with releases by codename.
    """
    root = folder / codename
    sources = debian_sources()
    if sources.suite != here:
        raise PackagesUnavailableError(f"apt has Debian by the name {sources.suite} and not by {here}")
    lines = [re.sub(rf"\b{here}\b", codename, line) for line in sources.lines]
    apt = download_settings()
    options = (
        *("--variant=minbase", "--mode=root", "--skip=cleanup/reproducible", "--dpkgopt=force-unsafe-io"),
        *('--aptopt=Apt::Install-Recommends "false"', *(f"--aptopt={line}" for line in apt)),
        f"--include={','.join((*_BARE, 'ca-certificates'))}",
    )
    settings = proxies() | pip_settings() | {"PIP_CACHE_DIR": "/var/cache/pip"}
    kept = {"archives": "/var/cache/apt/archives", "pip": "/var/cache/pip"}
    for name in kept:
        (downloads / name).mkdir(parents=True, exist_ok=True)
    mounts = (
        *("/etc/resolv.conf", "/etc/hosts"),
        *(f"{downloads / name}={target}" for name, target in kept.items()),
        *local_paths([*settings.values(), *apt]),
    )
    try:
        run(*contained(), "mmdebstrap", *options, codename, root, *lines, environment={"TMPDIR": str(folder)})
        ignored = shutil.ignore_patterns(*_NOT_THE_SOURCE)
        shutil.copytree(PROJECT, root / "src", symlinks=True, ignore=ignored)
        yield OtherRoot(root, settings, tuple(path for path in mounts if Path(path.partition("=")[0]).exists()))
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", root], check=False)


def proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _PROXY.fullmatch(name)}


def pip_settings() -> dict[str, str]:
    """How pip is configured on this host, by files and by variables, as variables: they count for more than files."""
    listed = run(sys.executable, "-m", "pip", "config", "list").splitlines()
    settings: dict[str, str] = {}
    for line in sorted(listed, key=lambda line: line.startswith(":env:")):
        key, _, value = line.partition("=")
        settings["PIP_" + key.rpartition(".")[2].upper().replace("-", "_")] = str(ast.literal_eval(value))
    return settings


def local_paths(settings: list[str]) -> list[str]:
    """The files and folders of this host that settings of pip and apt name."""
    found: dict[str, None] = {}
    for word in re.findall(r"[^\s\"';]+", "\n".join(settings)):
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            # The files of a package index on disk lie beside its pages.
            found[str(path.parent if word.startswith("file://") and len(path.parts) > 2 else path)] = None
    return list(found)
