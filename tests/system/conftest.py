"""What tests with real guests share."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.hypervisor.canary import find_accelerator
from harness.hypervisor.host import find_emulator
from harness.hypervisor.roots import take_over_probes
from harness.image import cache_root, obtain_images
from harness.implementation.nova.environments import Environments
from harness.run.session import Session

from .support.command_line import CommandLine
from .support.nova_data import OLDEST_RELEASE, RELEASE, Data, data_with, oldest_constraints
from .support.nova_server import Nova, unstarted

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


_ADDED_BY = ("nova_data", "oldest_data")
"""The fixtures that add a Nova, which takes a minute in which all others that need it wait."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of pytest-xdist, have each Nova added while other workers do what needs none."""
    if not hasattr(config, "workerinput"):
        return
    users = {name: [item for item in items if name in getattr(item, "fixturenames", ())] for name in _ADDED_BY}
    firsts = [found[0] for found in users.values() if found]
    rest = {item for found in users.values() for item in found}

    def rank(item: pytest.Item) -> int:
        if item in firsts:
            return 2 * firsts.index(item)  # the second Nova after the unit tests: both are added under one lock
        if not item.path.is_relative_to(Path(__file__).parent):
            return 1 if item.path.suffix == ".py" else 5
        return 4 if item in rest else 3

    items.sort(key=rank)


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


@pytest.fixture(scope="session")
def nova_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return data_with(RELEASE, tmp_path_factory)


@pytest.fixture(scope="session")
def oldest_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The oldest release that is supported, which wants its own upper constraints."""
    return data_with(OLDEST_RELEASE, tmp_path_factory, oldest_constraints())


@pytest.fixture
def nova_line(command_line: CommandLine, nova_data: Data) -> CommandLine:
    command_line.environment["RESCUE_HARNESS_DATA"] = str(nova_data.folder)
    return command_line


@pytest.fixture(scope="module", params=[RELEASE, OLDEST_RELEASE])
def nova(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nova]:
    """A Nova that starts no guest."""
    data: Data = request.getfixturevalue("nova_data" if request.param == RELEASE else "oldest_data")
    environment = Environments(data.folder / "nova").find(request.param)
    with unstarted(environment, tmp_path_factory.mktemp("images")) as opened:
        yield opened
