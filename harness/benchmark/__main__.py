"""Speed and size, measured on this host in one run and printed as ratios: ``make bench``.

Each ratio compares two things measured side by side, so that the host's own speed drops out.
"""

from __future__ import annotations

import os
import resource
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from harness.benchmark.measure import Measure
from harness.benchmark.nova import measure_nova, measure_nova_guests, newest_release
from harness.deadline import Deadline
from harness.errors import GuestError, HostError
from harness.guest.access import AUTHORIZED_KEYS_ENTRY
from harness.guest.console import Console as SerialConsole
from harness.guest.ssh import SshConnection
from harness.image.command import run
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_instance
from harness.level.planner import Planner
from harness.reading.cases import Case, collect_cases
from harness.reading.loading import load_scenarios
from harness.result.case_result import CaseResult
from harness.run.pool import CasePool, Unobserved
from harness.run.session import Session, open_session
from harness.scenario.words import MIB, VerdictName
from harness.study.sweep import SHIPPED_SWEEP, Sweep

CASES_QUEUED = 100
COMBINATIONS_PER_S = 150
_SCENARIO = """\
name: bench
summary: A root disk and a volume, rescued from a virtio disk
instance:
  machine: pc
  disks: [{role: root}, {role: volume}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Boots and cases per figure.")
def main(rounds: int) -> None:
    """Measure and print."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="rescue-harness-bench-") as folder:
        scenario = Path(folder) / "bench.yaml"
        scenario.write_text(_SCENARIO)
        with open_session(Path(folder) / "results", progress=console.print) as session:
            console.print(session.hypervisor.accelerator.reason)
            table = Table(box=None, padding=(0, 2, 0, 0))
            for heading in ("figure", "measured", "limit", "", "from"):
                table.add_column(heading)
            nova = newest_release()
            if nova is None:
                console.print("Nova is left out: 'rescue-harness nova add' adds one")
            novas = (measure_nova(nova, session), measure_nova_guests(nova, session, scenario))
            for measure in chain(_measures(session, scenario, rounds), *novas, _memory(session, scenario)):
                console.print(f"  {measure.name}: {measure.value:.2f}{measure.unit}")
                sign = "≤" if measure.at_most else "≥"
                table.add_row(
                    measure.name,
                    f"{measure.value:.2f}{measure.unit}",
                    f"{sign} {measure.limit:g}{measure.unit}",
                    "ok" if measure.holds else "MISSED",
                    measure.details,
                )
    console.print()
    console.print(table)


def _measures(session: Session, scenario: Path, rounds: int) -> Iterator[Measure]:
    cases = collect_cases([scenario], Reference(), repeat=rounds + 1)
    firmware, bare = _boots(session, cases[0], rounds)
    yield Measure(
        "firmware boot to SSH / bare direct kernel boot to SSH",
        statistics.median(firmware) / statistics.median(bare),
        "",
        1.8,
        at_most=True,
        details=f"medians of {rounds}: {statistics.median(firmware):.2f} s, {statistics.median(bare):.2f} s",
    )
    one_by_one_s, results = _run(session, cases, rounds, jobs=1)
    overhead = [result.elapsed_s / (3 * statistics.mean(boot.boot_s for boot in result.boots)) for result in results]
    yield Measure(
        "a case's three boots end to end / 3 x its mean boot to SSH",
        statistics.median(overhead),
        "",
        1.25,
        at_most=True,
        details=f"median of {rounds} cases, mean {statistics.mean(result.elapsed_s for result in results):.1f} s each",
    )
    two_at_once_s, _ = _run(session, cases, rounds + rounds % 2, jobs=2)
    hourly = 3600 * rounds / one_by_one_s, 3600 * (rounds + rounds % 2) / two_at_once_s
    yield Measure(
        "cases an hour, two guests at once / one at a time",
        hourly[1] / hourly[0],
        "",
        1.7,
        at_most=False,
        details=f"{hourly[1]:.0f} and {hourly[0]:.0f} cases an hour on {len(os.sched_getaffinity(0))} cores",
    )
    yield from _sweep(session)


def _memory(session: Session, scenario: Path) -> Iterator[Measure]:
    """The last figure: leaving the pool ends what is queued in it, and the session is of no more use."""
    cases = collect_cases([scenario], Reference(), repeat=CASES_QUEUED)
    with CasePool(cases, session, Unobserved(), jobs=2) as pool:
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


def _sweep(session: Session) -> Iterator[Measure]:
    """Only combinations that libvirt was given count: a refusal costs next to nothing."""
    (loaded,) = load_scenarios([SHIPPED_SWEEP])
    planner = Planner(session.hypervisor.connection, session.hypervisor.emulator)
    sweep = Sweep.of(loaded.scenario)
    process = psutil.Process()
    counts: Counter[str] = Counter()
    resident: list[int] = []
    started_s, started_cpu_s = time.monotonic(), time.process_time()
    for number, cell in enumerate(sweep.cells(planner, Reference()), start=1):
        counts[cell.outcome] += 1
        if number % (len(sweep) // 4) == 0:
            resident.append(process.memory_info().rss)
    elapsed_s, cpu_s = time.monotonic() - started_s, time.process_time() - started_cpu_s
    defined = counts[VerdictName.STABLE] + counts[VerdictName.MOVED]
    planned = defined + counts[VerdictName.REFUSED]
    yield Measure(
        f"combinations a second at level plan / {COMBINATIONS_PER_S}",
        defined / elapsed_s / COMBINATIONS_PER_S,
        "",
        1.0,
        at_most=False,
        details=f"{planned:,} combinations, {defined:,} of them defined, in {elapsed_s:.1f} s ({cpu_s:.1f} s of CPU)",
    )
    yield Measure(
        "memory after a sweep / after a quarter of it",
        resident[-1] / resident[0],
        "",
        1.05,
        at_most=True,
        details=f"{resident[0] // MIB} MiB, then {resident[-1] // MIB} MiB",
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
    """Seconds from QEMU's start to an open SSH connection, with the kernel and initramfs given to QEMU itself."""
    hypervisor, images = session.hypervisor, session.images
    if images is None:
        raise HostError("the benchmark boots guests and has no images")
    root, log = folder / "bare.qcow2", folder / "bare.log"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", images.instance, root)
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


def _run(session: Session, cases: list[Case], count: int, *, jobs: int) -> tuple[float, list[CaseResult]]:
    started = time.monotonic()
    with CasePool(cases[:count], session, Unobserved(), jobs=jobs) as pool:
        results = [pool.result(index) for index in range(count)]
    for result in results:
        if result.verdict is not VerdictName.STABLE:
            raise HostError(f"a benchmark case ended {result.verdict}: {'; '.join(result.sentences())}")
    return time.monotonic() - started, results


if __name__ == "__main__":
    main()
