"""Speed of guests and of the cases that boot them, and the harness's memory, for ``make bench``."""

from __future__ import annotations

import os
import resource
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from harness.benchmark.measure import Measure
from harness.deadline import Deadline
from harness.errors import GuestError, HostError
from harness.guest.access import AUTHORIZED_KEYS_ENTRY
from harness.guest.console import Console as SerialConsole
from harness.guest.ssh import SshConnection
from harness.image.command import run as run_tool
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_instance
from harness.reading.cases import Case
from harness.result.case_result import CaseResult
from harness.run.choice import choose_cases
from harness.run.on_ramp import OpenRun
from harness.run.session import Session
from harness.scenario.words import MIB, VerdictName

CASES_QUEUED = 100


def measure_guests(run: OpenRun, scenario: Path, rounds: int) -> Iterator[Measure]:
    """Measure boots, and cases one by one and two at once."""
    cases = choose_cases([scenario], [Reference()], repeat=rounds + 1).cases
    firmware, bare = _boots(run.session, cases[0], rounds)
    yield Measure(
        "firmware boot to SSH / bare direct kernel boot to SSH",
        statistics.median(firmware) / statistics.median(bare),
        "",
        1.8,
        at_most=True,
        details=f"medians of {rounds}: {statistics.median(firmware):.2f} s, {statistics.median(bare):.2f} s",
    )
    one_by_one_s, results = _run(run, cases, rounds, jobs=1)
    overhead = [result.elapsed_s / (3 * statistics.mean(boot.boot_s for boot in result.boots)) for result in results]
    yield Measure(
        "a case's three boots end to end / 3 x its mean boot to SSH",
        statistics.median(overhead),
        "",
        1.25,
        at_most=True,
        details=f"median of {rounds} cases, mean {statistics.mean(result.elapsed_s for result in results):.1f} s each",
    )
    two_at_once_s, _ = _run(run, cases, rounds + rounds % 2, jobs=2)
    hourly = 3600 * rounds / one_by_one_s, 3600 * (rounds + rounds % 2) / two_at_once_s
    yield Measure(
        "cases an hour, two guests at once / one at a time",
        hourly[1] / hourly[0],
        "",
        1.7,
        at_most=False,
        details=f"{hourly[1]:.0f} and {hourly[0]:.0f} cases an hour on {len(os.sched_getaffinity(0))} cores",
    )


def measure_memory(run: OpenRun, scenario: Path) -> Iterator[Measure]:
    """Measure the harness's memory.

    This figure has to be the last, because leaving the pool cancels the queued cases and so ends the session.
    """
    cases = choose_cases([scenario], [Reference()], repeat=CASES_QUEUED).cases
    with run.pool(cases, jobs=2) as pool:
        for index in range(2):
            pool.result(index)
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    yield Measure(
        f"memory of the harness, {len(cases)} cases queued",
        resident / MIB,
        " MiB",
        150,
        at_most=True,
        details="largest ever resident, the figures above included",
    )


def _boots(session: Session, case: Case, rounds: int) -> tuple[list[float], list[float]]:
    firmware, bare = [], []
    with prepared_instance(case, session) as ready:
        guest = ready.life_cycle.start()
        command_line = guest.run("cat /proc/cmdline").stdout.decode().strip()
        for _ in range(rounds):
            ready.life_cycle.shut_down()
            bare.append(_bare_boot_s(session, ready.folder, command_line))
            firmware.append(ready.life_cycle.reboot().boot_s)
    return firmware, bare


def _bare_boot_s(session: Session, folder: Path, command_line: str) -> float:
    """Boot a kernel and initramfs in QEMU directly; return the seconds from QEMU's start to an open SSH connection."""
    hypervisor, images = session.hypervisor, session.images
    if images is None:
        raise HostError("the benchmark boots guests and has no images")
    root, log = folder / "bare.qcow2", folder / "bare.log"
    run_tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", images.instance, root)
    log.unlink(missing_ok=True)
    port = _free_port()
    accelerator = "kvm" if hypervisor.accelerator.domain_type == "kvm" else "tcg"
    command = [
        *(hypervisor.emulator, "-nodefaults", "-display", "none", "-machine", "pc", "-accel", accelerator, "-m", "256"),
        *("-kernel", str(images.kernel), "-initrd", str(images.initramfs), "-append", command_line),
        *("-drive", f"file={root},if=virtio,format=qcow2"),
        *("-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:22", "-device", "virtio-net-pci,netdev=n"),
        *("-usb", "-device", "usb-tablet", "-serial", f"file:{log}"),
        *("-fw_cfg", f"name={AUTHORIZED_KEYS_ENTRY},string={session.key.authorized_keys}"),
    ]
    started = time.monotonic()
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        stack.callback(process.kill)
        deadline = Deadline.after(hypervisor.pace.boot_s)
        console = SerialConsole(log)
        while (ready := console.ready()) is None:
            if deadline.passed or process.poll() is not None:
                raise GuestError("the bare guest did not come up", console_tail=console.tail())
            time.sleep(0.05)
        stack.enter_context(SshConnection.open(port, session.key.key, ready.host_key, deadline))
        return time.monotonic() - started


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(run: OpenRun, cases: Sequence[Case], count: int, *, jobs: int) -> tuple[float, list[CaseResult]]:
    started = time.monotonic()
    with run.pool(cases[:count], jobs=jobs) as pool:
        results = [pool.result(index) for index in range(count)]
    for result in results:
        if result.verdict is not VerdictName.STABLE:
            raise HostError(f"a benchmark case ended {result.verdict}: {'; '.join(result.sentences())}")
    return time.monotonic() - started, results
