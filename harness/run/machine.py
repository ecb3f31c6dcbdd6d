"""One case at level machine: QEMU builds the machine of every state and is asked what it built; nothing runs."""

from __future__ import annotations

from harness.errors import Refused
from harness.evidence.defined import Sources, running_inventory
from harness.evidence.inventory import Inventory, State
from harness.evidence.machine import machine_inventory
from harness.guest.paused import PausedMachine
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.run.cases import Case
from harness.run.outcome import Outcome, Progress
from harness.run.preparation import Prepared
from harness.run.record import CaseFolder
from harness.run.result import Refusal
from harness.verdict.claims import additions, compare_definitions, compare_rescued, compare_unrescued, joined
from harness.verdict.expected import HostEvidence


def build_machines(
    case: Case, ready: Prepared[PausedMachine], folder: CaseFolder, progress: Progress, outcome: Outcome
) -> None:
    """Bring a case through its states at level machine and leave what was found in ``outcome``.

    Raises:
        HostError: libvirt or QEMU does not take a domain, or does not answer.
    """
    performer = ready.performer
    sources = Sources.of(performer.placement, ready.tokens)
    defined: dict[State, Inventory] = {}

    def look(state: State, machine: PausedMachine) -> Inventory:
        inventory = machine_inventory(machine.query, machine.live_xml, sources)
        is_disk = usb_cdrom_is_disk(performer.hypervisor.connection)
        defined[state] = running_inventory(machine.live_xml, sources, usb_cdrom_is_disk=is_disk)
        folder.write(f"{state}/defined.xml", performer.defined_xml[state])
        folder.write(f"{state}/live.xml", machine.live_xml)
        folder.write(f"{state}/inventory.json", inventory.model_dump_json(indent=1))
        return inventory

    progress(str(State.NORMAL))
    normal = look(State.NORMAL, performer.start())
    progress(str(State.RESCUED))
    try:
        rescued = look(State.RESCUED, performer.rescue(case.point.scenario.rescue_image))
    except Refused as refused:
        outcome.refusal = Refusal(reason=refused.reason, refused_by=refused.refused_by)
        return
    progress(str(State.UNRESCUED))
    unrescued = look(State.UNRESCUED, performer.unrescue())
    host = HostEvidence(
        domain_xml_equal=performer.defined_xml[State.UNRESCUED] == performer.saved_xml,
        nvram_equal=performer.variables_restored,
    )
    outcome.findings = joined(
        compare_rescued(normal, rescued, ready.expected),
        compare_unrescued(normal, rescued, unrescued, ready.expected, host),
        compare_definitions(defined, ready.expected),
    )
    outcome.additions = additions(normal, rescued, ready.expected)
