"""One case at level machine: QEMU builds the machine of every state and is asked what it built; nothing runs."""

from __future__ import annotations

from harness.errors import Refused
from harness.evidence.inventory import Inventory, State
from harness.evidence.machine.machine_inventory import machine_inventory
from harness.evidence.plan.domain_inventory import Sources, running_inventory
from harness.guest.paused import PausedMachine
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.instance.preparation import Prepared
from harness.instance.steps import DefinitionHand, take
from harness.instance.storage.disk_image import create_overlay
from harness.level.outcome import Outcome, Progress
from harness.reading.cases import Case
from harness.result.folders import CaseFolder
from harness.scenario.steps import RESCUE
from harness.verdict.claims import additions, compare_definitions, compare_rescued, compare_unrescued
from harness.verdict.expected import HostEvidence


def build_machines(
    case: Case, ready: Prepared[PausedMachine], folder: CaseFolder, progress: Progress, outcome: Outcome
) -> None:
    """Bring a case through its steps and states at level machine and leave what was found in ``outcome``.

    Steps are taken on the definition while no machine is there; a rescue among them is carried out.

    Raises:
        HostError: libvirt or QEMU does not take a domain or a step, or does not answer.
    """
    performer = ready.performer
    performer.define()
    for position, step in enumerate(case.point.scenario.steps):
        if step == RESCUE:
            performer.reboot()
            carried_out = _rescue_and_unrescue(case, ready, folder, progress, outcome, f"step-{position + 1}/")
            if not carried_out or not outcome.is_restored:
                return
            performer.shut_down()
        hand = DefinitionHand(performer.hypervisor.connection, performer.domain, create_overlay)
        performer.settle(take(step, performer.stage, hand), is_hot=False)
    progress(str(State.NORMAL))
    performer.reboot()
    _rescue_and_unrescue(case, ready, folder, progress, outcome)


def _rescue_and_unrescue(
    case: Case,
    ready: Prepared[PausedMachine],
    folder: CaseFolder,
    progress: Progress,
    outcome: Outcome,
    prefix: str = "",
) -> bool:
    """Rescue and unrescue the machine that is there, and add what is found; False if that was refused."""
    performer = ready.performer
    sources = Sources.of(performer.placement, ready.tokens)
    defined: dict[State, Inventory] = {}

    def look(state: State, machine: PausedMachine) -> Inventory:
        inventory = machine_inventory(machine.query, machine.live_xml, sources)
        is_disk = usb_cdrom_is_disk(performer.hypervisor.connection)
        defined[state] = running_inventory(machine.live_xml, sources, usb_cdrom_is_disk=is_disk)
        folder.write(f"{prefix}{state}/defined.xml", performer.defined_xml[state])
        folder.write(f"{prefix}{state}/live.xml", machine.live_xml)
        folder.write(f"{prefix}{state}/inventory.json", inventory.model_dump_json(indent=1))
        return inventory

    normal = look(State.NORMAL, performer.running)
    progress(str(State.RESCUED))
    try:
        rescued = look(State.RESCUED, performer.rescue(case.point.scenario.rescue_image))
    except Refused as refused:
        outcome.refusal = refused
        return False
    progress(str(State.UNRESCUED))
    unrescued = look(State.UNRESCUED, performer.unrescue())
    host = HostEvidence(
        domain_xml_equal=performer.defined_xml[State.UNRESCUED] == performer.saved_xml,
        nvram_equal=performer.variables.are_restored,
    )
    outcome.add(
        *compare_rescued(normal, rescued, ready.expected),
        *compare_unrescued(normal, rescued, unrescued, ready.expected, host),
        *compare_definitions(defined, ready.expected),
    )
    outcome.additions = additions(normal, rescued, ready.expected)
    return True
