"""A libvirtd of our own: its state is in its root, the host's is not touched, and it ends with whoever wanted it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import libvirt
import psutil
import pytest

from harness.errors import HostError
from harness.hypervisor.connection import prepare_embedded_root
from harness.hypervisor.daemon import private_daemon

_DOMAIN = """\
<domain type='qemu'><name>rh-daemon-test</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>
"""
_HOLDER = """\
import sys
from pathlib import Path
from harness.hypervisor.daemon import private_daemon
with private_daemon(Path(sys.argv[1])) as uri:
    print(uri, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def root() -> Iterator[Path]:
    # A short path: sockets have 108 bytes.
    path = Path(tempfile.mkdtemp(prefix="rh-"))
    (path / "work").mkdir()
    prepare_embedded_root(path, range(5900, 5964))
    yield path
    shutil.rmtree(path)


def daemons_of(root: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(f"{root}/" in word for word in process.info["cmdline"] or ())
    ]


def test_two_connections_see_one_domain_and_the_host_sees_none(root: Path) -> None:
    with private_daemon(root) as uri:
        first, second = libvirt.open(uri), libvirt.open(uri)
        first.defineXML(_DOMAIN)
        assert [domain.name() for domain in second.listAllDomains()] == ["rh-daemon-test"]
        assert (root / "etc" / "qemu" / "rh-daemon-test.xml").is_file()
        assert not Path("/etc/libvirt/qemu/rh-daemon-test.xml").exists()
        mounts = Path("/proc/self/mounts").read_text()
        assert str(root) not in mounts
        first.close()
        second.close()
    assert daemons_of(root) == []


def test_it_ends_with_a_holder_that_is_killed(root: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert "qemu+unix" in holder.stdout.readline()
    running = [process for process in daemons_of(root) if process.pid != holder.pid]
    assert {process.name() for process in running} >= {"libvirt-keeper", "libvirtd"}
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    _, alive = psutil.wait_procs(running, timeout=20)
    assert alive == []


def test_one_that_does_not_start_is_said(root: Path) -> None:
    (root / "run" / "libvirtd.pid").mkdir(parents=True)
    with pytest.raises(HostError, match=r"a libvirtd of our own ended with exit code 1"), private_daemon(root):
        pass
    assert daemons_of(root) == []
