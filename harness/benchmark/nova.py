"""Speed and size of a Nova's worker, for ``make bench``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil

from harness.benchmark.measure import Measure
from harness.errors import HostError
from harness.implementation.nova.environments import Environments, NovaEnvironment
from harness.implementation.nova.implementation import Nova
from harness.implementation.protocol import RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.level.planner import Planner
from harness.run.choice import choose_cases
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.models import Scenario
from harness.scenario.words import MIB, VerdictName

FIRST_XML_S = 2.0
DOMAINS_PER_S = 100
WORKER_MIB = 250
CYCLE_FACTOR = 1.3
CYCLE_S = 3.0
_ROUNDS = 200
_SCENARIO = {
    "name": "bench",
    "summary": "A root disk and a volume, rescued from a virtio disk",
    "instance": {"disks": [{"role": "root"}, {"role": "volume"}]},
    "rescue_image": {"properties": {"hw_rescue_bus": "virtio"}},
}


def newest_release() -> NovaEnvironment | None:
    """Return the newest release of Nova that was added, None if none was."""
    releases = [each for each in Environments().all() if not each.record.is_checkout]
    return releases[-1] if releases else None


def measure_nova(environment: NovaEnvironment | None, session: Session) -> Iterator[Measure]:
    """Measure a warm worker: seconds to its first domain, domains in a second of CPU, and memory."""
    if environment is None:
        return
    planner = Planner(session.hypervisor.connection, session.hypervisor.emulator)
    scenario = Scenario.model_validate(_SCENARIO)
    instance, image = scenario.instance, scenario.rescue_image
    with Nova(environment) as nova:
        nova.worker.start()
        started = time.monotonic()
        planned = planner.plan_instance(nova, scenario)
        first_s = time.monotonic() - started
        if nova.worker.pid is None:
            raise HostError(f"{nova.name}: the worker is gone")
        process = psutil.Process(nova.worker.pid)
        running = RunningInstance(instance, planned.placement, planned.normal_xml)
        before_s = _cpu_s(process)
        for _ in range(_ROUNDS):
            nova.normal(instance, planned.placement)
            nova.rescued(running, image)
        cpu_s = _cpu_s(process) - before_s
        resident = process.memory_info().rss
    yield Measure(
        f"first domain of a warm {nova.name} / {FIRST_XML_S:g} s",
        first_s / FIRST_XML_S,
        "",
        1.0,
        at_most=True,
        details=f"{first_s:.2f} s, libvirt's definition of it included",
    )
    yield Measure(
        f"domains that {nova.name} makes in a second of CPU / {DOMAINS_PER_S}",
        2 * _ROUNDS / cpu_s / DOMAINS_PER_S,
        "",
        1.0,
        at_most=False,
        details=f"{2 * _ROUNDS} domains, half of them rescued, in {cpu_s:.1f} s of CPU",
    )
    yield Measure(
        f"memory of {nova.name}'s worker",
        resident / MIB,
        " MiB",
        WORKER_MIB,
        at_most=True,
        details=f"resident after {2 * _ROUNDS + 1} domains",
    )


def measure_nova_guests(environment: NovaEnvironment | None, session: Session, scenario: Path) -> Iterator[Measure]:
    """Measure Nova's time to spawn, rescue and unrescue, and compare it with the reference's in the same case."""
    if environment is None:
        return
    with Nova(environment) as nova:
        guests = nova.guests(session.hypervisor)
        guests.worker.start()
        seconds = {}
        for implementation in (Reference(), nova):
            (case,) = choose_cases([scenario], [implementation]).cases
            session.implementations.add(implementation)
            result = run_case(case, replace(session, control_boots=0))
            if result.verdict not in (VerdictName.STABLE, VerdictName.MOVED):
                raise HostError(f"{implementation.name} did not get through the case: {result.sentences()}")
            seconds[implementation.name] = result.elapsed_s
        if guests.worker.pid is None:
            raise HostError(f"{nova.name}: the worker is gone")
        resident = psutil.Process(guests.worker.pid).memory_info().rss
    reference_s, nova_s = seconds[Reference().name], seconds[nova.name]
    yield Measure(
        f"spawn, rescue and unrescue by {nova.name}, but for {CYCLE_S:g} s / the reference's",
        (nova_s - CYCLE_S) / reference_s,
        "",
        CYCLE_FACTOR,
        at_most=True,
        details=f"{nova_s:.1f} s and {reference_s:.1f} s, checks and markers included",
    )
    yield Measure(
        f"memory of {nova.name}'s worker for guests",
        resident / MIB,
        " MiB",
        WORKER_MIB,
        at_most=True,
        details="resident after a case",
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
