"""A libvirtd of the harness's own, for callers that need two processes on one libvirt.

The embedded driver does not allow two processes. The harness's libvirtd keeps its state in a root like that of the
embedded driver, and listens only there. The folders of a libvirtd run as root are fixed when libvirtd is built. So a
libvirtd run as root gets a mount namespace of its own, in which the root's folders lie over the host's
(mount_namespaces(7)). A libvirtd of another user finds its folders by the XDG variables, as a session's libvirtd does.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.deadline import Deadline
from harness.errors import HostError
from harness.image.command import LAST_LINES, quoted, search_path

KEEPER_NAME = "libvirt-keeper"
START_S = 60.0
_KEEPER = Path(__file__).with_name("daemon_keeper.py")
_DRIVERS = Path("/usr/lib")
_DRIVER = "libvirt_driver_qemu.so"
_LOG = "libvirtd.log"
_POLL_S = 0.02
_STOP_S = 10.0
_PLACES = {"etc": "/etc/libvirt", "lib": "/var/lib/libvirt", "cache": "/var/cache/libvirt", "log": "/var/log/libvirt"}
_STATE = "/run/libvirt"


@contextmanager
def private_daemon(root: Path) -> Iterator[str]:
    """Run a libvirtd until the end of the context; yield its URI.

    The libvirtd keeps its state in ``root``, which must be prepared and cleaned.

    Raises:
        HostError: libvirtd is not installed or does not start; the message quotes libvirtd's output.
    """
    found = shutil.which("libvirtd", path=search_path())
    if found is None:
        raise HostError("libvirtd is not on this host", hint="install libvirt-daemon")
    command, environment = _prepared(root, found)
    log_path = root / "work" / _LOG
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", _KEEPER, KEEPER_NAME, *command],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(root / "run" / "libvirt-sock", process, log_path)
        yield f"qemu+unix:///{'system' if _is_root() else 'session'}?socket={root}/run/libvirt-sock"
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def variables_folder(root: Path) -> Path:
    """Return the folder in which the libvirtd in ``root`` keeps the UEFI variables of domains."""
    return root / "lib" / "qemu" / "nvram" if _is_root() else root / "etc" / "qemu" / "nvram"


def variables_folder_in_domains(root: Path) -> Path:
    """Return the path by which the domains of the libvirtd in ``root`` name ``variables_folder``."""
    return Path(_PLACES["lib"], "qemu", "nvram") if _is_root() else root / "xdg" / "etc" / "libvirt" / "qemu" / "nvram"


def _is_root() -> bool:
    return os.getuid() == 0


def _prepared(root: Path, daemon: str) -> tuple[list[str], dict[str, str]]:
    """Make the daemon's folders; return its command and environment."""
    for name in (*_PLACES, "run", "drivers"):
        (root / name).mkdir(exist_ok=True, mode=0o700)
    configuration = root / "etc" / "libvirtd.conf"
    configuration.write_text(f'unix_sock_dir = "{root}/run"\nauth_unix_ro = "none"\nauth_unix_rw = "none"\n')
    driver = root / "drivers" / _DRIVER
    driver.unlink(missing_ok=True)
    driver.symlink_to(_qemu_driver())
    command = [daemon, "--config", str(configuration), "--pid-file", f"{root}/run/libvirtd.pid"]
    # Load only the QEMU driver: libvirt's network and device drivers would look at the host's networks and devices.
    environment = os.environ | {"LC_ALL": "C.UTF-8", "LIBVIRT_DRIVER_DIR": str(root / "drivers")}
    if _is_root():
        return ["unshare", "--mount", "sh", "-ec", _mounts(root), *command], environment
    return command, environment | _session_folders(root)


def _mounts(root: Path) -> str:
    """Return the shell script that mounts the folders and starts the daemon.

    The mounts are seen only inside the mount namespace, and end with the last process in it.
    """
    lines = [f"mount --bind {shlex.quote(f'{root}/{name}')} {place}" for name, place in _PLACES.items()]
    # /run/libvirt exists only if the host's own libvirt was started; making it would change the host.
    lines.append(f"test -d {_STATE} || {{ mount -t tmpfs none /run; mkdir {_STATE}; }}")
    lines.append(f"mount --bind {shlex.quote(f'{root}/run')} {_STATE}")
    return "\n".join([*lines, 'exec "$0" "$@"'])


def _session_folders(root: Path) -> dict[str, str]:
    """Return the XDG variables that make a session's daemon keep its files where the embedded driver keeps them."""
    (root / "log" / "qemu").mkdir(parents=True, exist_ok=True)
    (root / "cache" / "qemu").mkdir(parents=True, exist_ok=True)
    links = {
        root / "cache" / "qemu" / "log": root / "log" / "qemu",
        root / "cache" / "qemu" / "cache": root / "cache" / "qemu",
    }
    variables = {}
    for variable, name in (("XDG_CONFIG_HOME", "etc"), ("XDG_CACHE_HOME", "cache"), ("XDG_RUNTIME_DIR", "run")):
        folder = root / "xdg" / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        links[folder / "libvirt"] = root / name
        variables[variable] = str(folder)
    for link, target in links.items():
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return variables


def _qemu_driver() -> Path:
    """Return the path of libvirt's QEMU driver, in the folder where Debian or Fedora installs it.

    Raises:
        HostError: the driver is not installed.
    """
    folders = ("x86_64-linux-gnu/libvirt", "libvirt", "../lib64/libvirt")
    paths = (_DRIVERS / folder / "connection-driver" / _DRIVER for folder in folders)
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise HostError("libvirt's driver for QEMU is not on this host", hint="install libvirt-daemon-driver-qemu")
    return found


def _is_listening(path: Path) -> bool:
    """Tell whether a process listens on the socket; the socket's file exists a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _wait_for(path: Path, process: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = Deadline.after(START_S)
    while not _is_listening(path):
        status = process.poll()
        if status is not None or deadline.passed:
            what = f"did not listen within {START_S:.0f} s" if status is None else f"ended with exit code {status}"
            lines = log_path.read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise HostError(f"a libvirtd of our own {what}{quoted(lines)}")
        time.sleep(_POLL_S)
