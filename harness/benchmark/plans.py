"""Speed and memory of a sweep at level plan, for ``make bench``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import psutil

from harness.benchmark.measure import Measure
from harness.implementation.reference.implementation import Reference
from harness.level.planner import Planner
from harness.reading.loading import load_scenarios
from harness.run.session import Session
from harness.scenario.words import MIB, VerdictName
from harness.study.sweep import SHIPPED_SWEEP, Sweep

COMBINATIONS_PER_S = 150


def measure_sweep(session: Session) -> Iterator[Measure]:
    """Measure the shipped sweep. Only combinations given to libvirt count, because a refusal costs almost nothing."""
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
