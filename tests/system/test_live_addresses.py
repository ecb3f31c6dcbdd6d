"""Devices that are elsewhere in the running domain than in its definition stay where they run.

libvirt gives a device an address in each; two that were attached at the same time may have got them in another order.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import libvirt

from harness.domain.rendering import render_further_interface
from harness.evidence.inventory import Inventory
from harness.evidence.machine.machine_inventory import machine_inventory
from harness.evidence.plan.domain_inventory import Sources
from harness.guest.paused import PausedMachine
from harness.hypervisor.connection import definition_of
from harness.implementation.protocol import RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import PreparedInstance, prepared_machine
from harness.instance.steps import as_text
from harness.reading.cases import Case, collect_cases
from harness.run.session import Session
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import ClaimName, Level, VifModel
from harness.verdict.claims import compare_rescued, compare_unrescued
from harness.verdict.expected import HostEvidence
from harness.verdict.finding import Finding

from .support.cases import case_with

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


class FromDefinition(Reference):
    """Rescues from what a reboot would start, whatever runs."""

    name = "from-definition"

    def __init__(self, connection: libvirt.virConnect) -> None:
        super().__init__()
        self._connection = connection

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        domain = self._connection.lookupByName(running.placement.domain_name)
        return super().rescued(replace(running, live_xml=definition_of(domain)), image)


def attach_in_two_orders(ready: PreparedInstance[PausedMachine]) -> None:
    life_cycle = ready.life_cycle
    one, other = (as_text(render_further_interface(VifModel.VIRTIO, number, life_cycle.placement)) for number in (1, 2))
    for device, flags in ((one, LIVE), (other, LIVE), (other, CONFIG), (one, CONFIG)):
        life_cycle.domain.attachDeviceFlags(device, flags)
    life_cycle.settle(life_cycle.current.with_nic(VifModel.VIRTIO).with_nic(VifModel.VIRTIO), is_hot=True)


def look(ready: PreparedInstance[PausedMachine]) -> Inventory:
    machine = ready.life_cycle.running
    live_xml = machine.domain.XMLDesc(0)
    return machine_inventory(machine.query, live_xml, Sources.of(ready.life_cycle.placement, ready.tokens))


def findings_of(case: Case, session: Session) -> tuple[Finding, ...]:
    with prepared_machine(case, session) as ready:
        life_cycle = ready.life_cycle
        life_cycle.start()
        attach_in_two_orders(ready)
        normal = look(ready)
        life_cycle.rescue(case.point.scenario.rescue_image)
        rescued = look(ready)
        life_cycle.unrescue()
        unrescued = look(ready)
        host = HostEvidence(domain_xml_equal=definition_of(life_cycle.domain) == life_cycle.saved_xml)
    return (
        *compare_rescued(normal, rescued, ready.expected),
        *compare_unrescued(normal, rescued, unrescued, ready.expected, host),
    )


def test_rescue_and_unrescue_keep_the_addresses_of_the_running_domain(session: Session, minimal: Path) -> None:
    (case,) = collect_cases([minimal], Reference(), level=Level.MACHINE)
    assert findings_of(case, session) == ()


def test_rescue_from_the_definition_is_seen_to_move_what_runs_elsewhere(session: Session, minimal: Path) -> None:
    case = case_with(FromDefinition(session.hypervisor.connection), minimal, session, level=Level.MACHINE)
    moved = {(finding.claim, finding.device, finding.before, finding.after) for finding in findings_of(case, session)}
    assert {claim for claim, *_ in moved} == {ClaimName.OTHER_HARDWARE}
    assert moved >= {
        (ClaimName.OTHER_HARDWARE, "nic1", "0000:00:06.0", "0000:00:07.0"),
        (ClaimName.OTHER_HARDWARE, "nic2", "0000:00:07.0", "0000:00:06.0"),
    }
