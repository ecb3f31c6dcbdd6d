"""What tests with real guests share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.hypervisor.canary import find_accelerator
from harness.hypervisor.host import find_emulator
from harness.hypervisor.roots import take_over_probes
from harness.image import cache_root, obtain_images
from harness.run.session import Session

MINIMAL = """\
name: minimal
summary: A root disk and a volume, rescued from a virtio disk
instance:
  disks:
    - {role: root}
    - {role: volume}
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""


# pytester gives its tests another home folder, and with it an empty cache.
_CACHE = cache_root()


@pytest.fixture(autouse=True)
def _one_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_CACHE", str(_CACHE))


@pytest.fixture(scope="session")
def session(rescue_session: Session) -> Session:
    return rescue_session


@pytest.fixture
def own_session(rescue_session: Session, tmp_path: Path) -> Session:
    """The session with a results folder of the test's own."""
    return replace(rescue_session, folder=replace(rescue_session.folder, path=tmp_path / "results"))


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    path = tmp_path / "minimal.yaml"
    path.write_text(MINIMAL)
    return path


# A test runner in the background may have told its children to ignore interrupts.
_MAIN = """\
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from harness.cli import main
main()
"""


class CommandLine:
    """Runs ``rescue-harness`` as a user would, with a cache of its own that shares only the images."""

    def __init__(self, cache: Path, folder: Path) -> None:
        self.cache = cache
        self.folder = folder
        self.environment = os.environ | {"RESCUE_HARNESS_CACHE": str(cache)}

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", _MAIN, *words],
            env=self.environment | environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, timeout_s: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **environment)
        stdout, stderr = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)

    def qemus(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["name", "cmdline", "status"]):
            words = process.info["cmdline"] or ()
            if process.info["status"] != psutil.STATUS_ZOMBIE and any(f"{self.cache}/hv" in word for word in words):
                found.append(process)
        return found

    def guests(self) -> list[psutil.Process]:
        """QEMUs that run a domain, not those that libvirt asks for their capabilities."""
        return [qemu for qemu in self.qemus() if any(word.startswith("guest=rh-") for word in qemu.info["cmdline"])]

    def work_folders(self) -> list[str]:
        return [path.name for path in self.cache.glob("hv/*/work/*")]


@pytest.fixture
def command_line(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[CommandLine]:
    find_accelerator(obtain_images(), find_emulator())
    # A short path: QEMU's sockets have 108 bytes.
    cache = Path(f"/tmp/rh-test-{os.getpid()}-{abs(hash(request.node.nodeid)) % 10000}")  # noqa: S108
    cache.mkdir(mode=0o700)
    (cache / "images").symlink_to(cache_root() / "images")
    for name in ("accelerator.json", "packages.json"):
        (cache / name).write_bytes((cache_root() / name).read_bytes())
    take_over_probes(cache / "hv" / "0", (cache_root() / "hv").glob("*"))
    line = CommandLine(cache, tmp_path)
    yield line
    for process in line.qemus():
        process.kill()
    subprocess.run(["rm", "-rf", str(cache)], check=False)


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 300) -> None:
    """Poll until a condition holds."""
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, f"waited {timeout_s} s for {what}"
        time.sleep(0.05)
