"""The start of a Nova's worker, on a hypervisor that Nova accepts."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from harness.errors import HostError
from harness.hypervisor.connection import version_text
from harness.hypervisor.reaping import orphans_reaped
from harness.implementation.nova.environments import Environments, NovaEnvironment
from harness.implementation.nova.messages import Open, SeenVersions, Version
from harness.implementation.nova.process import Worker

START_TIMEOUT_S = 300.0
"""Imports take 2 s, the first look at QEMU 4 to 8 s; both take much longer on a busy host."""
WORKER_LOG = "nova-worker.log"


def opened_worker(
    environment: NovaEnvironment,
    root: Path,
    timeout_s: float,
    stack: ExitStack,
    *,
    uri: str | None = None,
    cancelled: threading.Event | None = None,
) -> Worker:
    """Start a worker with its state in the folder ``root``, and have it open its hypervisor; see ``Worker``.

    The worker is killed when ``stack`` is closed.

    Raises:
        HostError: the worker does not start, or Nova demands a newer hypervisor.
    """
    worker = Worker(
        environment.python,
        root,
        root / "work" / WORKER_LOG,
        name=environment.name,
        version=environment.version,
        uri=uri,
        cancelled=cancelled,
    )
    stack.callback(worker.close)
    try:
        # The first look at QEMU probes every emulator, and each emulator is a daemon for whose end libvirt waits.
        with orphans_reaped():
            answer = worker.ask(Open(), timeout_s)
        if answer.description is None or answer.hypervisor is None:
            raise HostError(f"{environment.name} did not tell which QEMU and libvirt it uses")
        demands = (answer.description.min_libvirt, answer.description.min_qemu)
        require_hypervisor(environment.name, demands, answer.hypervisor, Environments().all())
    except BaseException:
        worker.close()
        raise
    return worker


def require_hypervisor(
    name: str, demands: tuple[Version, Version], seen: SeenVersions, others: list[NovaEnvironment]
) -> None:
    """Check that Nova would start on this host.

    Raises:
        HostError: Nova demands a newer libvirt or QEMU; the hint names the added Novas that would start.
    """
    wanted_libvirt, wanted_qemu = demands
    short = [
        f"{what} {'.'.join(map(str, wanted))}, here is {version_text(here)}"
        for what, wanted, here in (("libvirt", wanted_libvirt, seen.libvirt), ("QEMU", wanted_qemu, seen.qemu))
        if packed(wanted) > here
    ]
    if not short:
        return
    fitting = [
        each.name
        for each in others
        if packed(each.record.description.min_libvirt) <= seen.libvirt
        and packed(each.record.description.min_qemu) <= seen.qemu
    ]
    raise HostError(
        f"{name} demands {' and '.join(short)}",
        hint=f"these added Novas would start here: {', '.join(fitting)}" if fitting else "an older Nova may start here",
    )


def packed(version: Version) -> int:
    """Return a version as libvirt packs it: 9.0.0 is 9000000."""
    major, minor, micro = version
    return major * 1_000_000 + minor * 1000 + micro
