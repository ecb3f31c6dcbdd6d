"""The one face for Python callers: the names that code outside this project may import, and keep importing.

Scenarios and cases:
    load_scenarios: read scenario files, each checked, as LoadedScenario.
    LoadedScenario: a scenario with the file that it came from.
    Scenario: the content of a scenario file, as frozen values.
    choose_cases: choose the cases of scenario files for some implementations, by keyword and level.
    Choice: the chosen cases, and the cases left out, with the reason.
    Case: one scenario at one point of its matrix with one implementation at one level, as plain data.

Implementations:
    implementation_of: the implementation of a name, such as reference or nova:34.0.0.
    Implementation: the base of an implementation of your own.
    Reference: the reference implementation of rescue.
    RescuedDomain: an implementation's answer to the request for a rescued domain.
    RunningInstance: an implementation's view of the instance that it rescues.
    parse_domain, serialise, disks_of: domain XML read, written, and its disks in order.

Running:
    RunOptions: the results folder, the deepest level, time-outs, the number of cases at once.
    open_run: open implementations, images, hypervisor and results folder, as OpenRun.
    OpenRun: an open run: its ``session``, and a ``pool`` that runs cases side by side.
    Session: the things that the cases of one run share.
    run_case: run one case in a session to its result.

Results:
    CaseResult: the result of a case: verdict, findings, boots, versions.
    RunSummary: the content of ``run.json``.
    read_run: read a run's folder back, as RunSummary.
    Finding: one way in which a claim does not hold.

A guest state by state:
    prepared_instance: make a case's disks; its ``life_cycle`` brings the instance from state to state.
    take_all_steps: take the scenario's steps on a guest that has just booted.
    guest_host: a booted guest as a testinfra host, with ``disks`` and ``inventory``.
    GuestHost: the host that ``guest_host`` returns.
    compare_rescued, compare_unrescued: the findings between two inventories.

Faults:
    Fault: one way to break rescue, and the claim that must notice.
    Broken: the reference implementation with a fault.

Words:
    Level, VerdictName, ClaimName, Role, DiskBus, DeviceType: closed sets of values in scenarios and results.

Errors:
    HarnessError: the base of all errors: a message, and a hint at the next step.
    ScenarioError: the user's input is wrong.
    HostError: QEMU, libvirt, the accelerator or the disk of this host failed.
    GuestError: a guest did not boot, answer or obey.
    Refused: the implementation declined.
"""

from __future__ import annotations

from harness.domain.xml import disks_of, parse_domain, serialise
from harness.errors import GuestError, HarnessError, HostError, Refused, ScenarioError
from harness.guest.testinfra_host import GuestHost, guest_host
from harness.implementation.protocol import Implementation, RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.implementation.registry import implementation_of
from harness.instance.hot_plug import take_all_steps
from harness.instance.preparation import prepared_instance
from harness.reading.cases import Case
from harness.reading.loading import LoadedScenario, load_scenarios
from harness.result.case_result import CaseResult, RunSummary
from harness.result.folders import read_run
from harness.run.choice import Choice, choose_cases
from harness.run.engine import run_case
from harness.run.on_ramp import OpenRun, RunOptions, open_run
from harness.run.session import Session
from harness.scenario.models import Scenario
from harness.scenario.words import ClaimName, DeviceType, DiskBus, Level, Role, VerdictName
from harness.study.prove.faults import Broken, Fault
from harness.verdict.claims import compare_rescued, compare_unrescued
from harness.verdict.finding import Finding

__all__ = [
    "Broken",
    "Case",
    "CaseResult",
    "Choice",
    "ClaimName",
    "DeviceType",
    "DiskBus",
    "Fault",
    "Finding",
    "GuestError",
    "GuestHost",
    "HarnessError",
    "HostError",
    "Implementation",
    "Level",
    "LoadedScenario",
    "OpenRun",
    "Reference",
    "Refused",
    "RescuedDomain",
    "Role",
    "RunOptions",
    "RunSummary",
    "RunningInstance",
    "Scenario",
    "ScenarioError",
    "Session",
    "VerdictName",
    "choose_cases",
    "compare_rescued",
    "compare_unrescued",
    "disks_of",
    "guest_host",
    "implementation_of",
    "load_scenarios",
    "open_run",
    "parse_domain",
    "prepared_instance",
    "read_run",
    "run_case",
    "serialise",
    "take_all_steps",
]
