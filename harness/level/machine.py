"""One case at level machine: QEMU builds the machine of every state and is asked what it built; nothing runs."""

from __future__ import annotations

from harness.errors import Refused
from harness.evidence.inventory import Inventory, State
from harness.evidence.machine.machine_inventory import machine_inventory
from harness.evidence.plan.domain_inventory import Sources, running_inventory
from harness.guest.paused import PausedMachine
from harness.hypervisor.connection import usb_cdrom_is_disk
from harness.instance.preparation import PreparedInstance
from harness.instance.steps import DefinitionEditor, take
from harness.instance.storage.disk_image import create_overlay
from harness.level.outcome import Outcome, Progress
from harness.reading.cases import Case
from harness.result.folders import CaseFolder
from harness.scenario.steps import RESCUE
from harness.verdict.claims import additions, compare_definitions, compare_rescued, compare_unrescued
from harness.verdict.expected import HostEvidence


def build_machines(
    case: Case, ready: PreparedInstance[PausedMachine], folder: CaseFolder, progress: Progress, outcome: Outcome
) -> None:
    """Bring a case through its steps and states at level machine and leave what was found in ``outcome``.

    Steps are taken on the definition while no machine is there; a rescue among them is carried out.

    Raises:
        HostError: libvirt or QEMU does not take a domain or a step, or does not answer.
    """
    life_cycle = ready.life_cycle
    life_cycle.define()
    for position, step in enumerate(case.point.scenario.steps):
        if step == RESCUE:
            life_cycle.reboot()
            carried_out = _rescue_and_unrescue(case, ready, folder, progress, outcome, f"step-{position + 1}/")
            if not carried_out or not outcome.is_restored:
                return
            life_cycle.shut_down()
        editor = DefinitionEditor(life_cycle.hypervisor.connection, life_cycle.domain, create_overlay)
        life_cycle.settle(take(step, life_cycle.current, editor), is_hot=False)
    progress(str(State.NORMAL))
    life_cycle.reboot()
    _rescue_and_unrescue(case, ready, folder, progress, outcome)


def _rescue_and_unrescue(
    case: Case,
    ready: PreparedInstance[PausedMachine],
    folder: CaseFolder,
    progress: Progress,
    outcome: Outcome,
    prefix: str = "",
) -> bool:
    """Rescue and unrescue the machine that is there, and add what is found; False if that was refused."""
    life_cycle = ready.life_cycle
    sources = Sources.of(life_cycle.placement, ready.tokens)
    defined: dict[State, Inventory] = {}

    def look(state: State, machine: PausedMachine) -> Inventory:
        inventory = machine_inventory(machine.query, machine.live_xml, sources)
        is_disk = usb_cdrom_is_disk(life_cycle.hypervisor.connection)
        defined[state] = running_inventory(machine.live_xml, sources, usb_cdrom_is_disk=is_disk)
        folder.write(f"{prefix}{state}/defined.xml", life_cycle.defined_xml[state])
        folder.write(f"{prefix}{state}/live.xml", machine.live_xml)
        folder.write(f"{prefix}{state}/inventory.json", inventory.model_dump_json(indent=1))
        return inventory

    normal = look(State.NORMAL, life_cycle.running)
    progress(str(State.RESCUED))
    try:
        rescued = look(State.RESCUED, life_cycle.rescue(case.point.scenario.rescue_image))
    except Refused as refused:
        outcome.refusal = refused
        return False
    progress(str(State.UNRESCUED))
    unrescued = look(State.UNRESCUED, life_cycle.unrescue())
    host = HostEvidence(
        domain_xml_equal=life_cycle.defined_xml[State.UNRESCUED] == life_cycle.saved_xml,
        nvram_equal=life_cycle.variables.are_restored,
    )
    outcome.add(
        *compare_rescued(normal, rescued, ready.expected),
        *compare_unrescued(normal, rescued, unrescued, ready.expected, host),
        *compare_definitions(defined, ready.expected),
    )
    outcome.additions = additions(normal, rescued, ready.expected)
    return True
