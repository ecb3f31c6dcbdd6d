"""Make the domains of a case without a boot: define them in libvirt, read them back, undefine them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import libvirt

from harness.domain.disk_mapping import map_disks
from harness.domain.placement import DirectKernel, EmulatedTpm, Placement
from harness.errors import GuestAfter, Refused
from harness.evidence.plan.domain_inventory import Sources
from harness.hypervisor.connection import (
    connect,
    definition_of,
    embedded_uri,
    require_word_on_domain,
    usb_cdrom_is_disk,
)
from harness.hypervisor.host import find_emulator, versions_of
from harness.hypervisor.roots import held_root
from harness.implementation.protocol import Implementation, Rescue, RunningInstance, conditions_of
from harness.implementation.refusals import refused_instance, refused_too_late
from harness.instance.current_instance import CurrentInstance
from harness.instance.placing import placement_for
from harness.instance.steps import DefinitionEditor, changes_definition, take, volumes_of
from harness.instance.storage.disk_factory import planned_sources
from harness.level.outcome import Outcome
from harness.level.plan import Plan, PlannedInstance
from harness.reading.cases import Case
from harness.result.folders import CaseFolder
from harness.scenario.models import Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import Step, rescues_from
from harness.scenario.words import Level

_FOLDER = Path("/instances")


class Planner:
    """Defines domains on one connection."""

    def __init__(self, connection: libvirt.virConnect, emulator: str) -> None:
        self.connection = connection
        self._emulator = emulator
        self.versions = versions_of(connection)
        self._usb_cdrom_is_disk = usb_cdrom_is_disk(connection)

    def plan(self, case: Case, implementation: Implementation) -> Plan:
        """Plan one case with the implementation that the case names.

        Raises:
            Refused: the implementation does not make the instance, or libvirt does not accept it.
            HostError: the host failed.
        """
        scenario = case.point.scenario
        planned = self.plan_instance(implementation, scenario)
        return self.plan_rescue(implementation, planned, scenario.rescue_image)

    def plan_instance(self, implementation: Implementation, scenario: Scenario) -> PlannedInstance:
        """Define the normal state of a scenario's instance, with its steps taken.

        Raises:
            NotAskedError: the harness cannot ask the implementation for the scenario.
            Refused: the implementation does not make the instance.
            HostError: libvirt does not carry out a step.
        """
        implementation.require_askable(scenario, Level.PLAN)
        instance = scenario.instance
        placement = self._placement(scenario)
        current = CurrentInstance.first(instance, placement, dict.fromkeys(placement.sources, "planned"))
        try:
            xml = implementation.normal(instance, placement)
            if changes_definition(scenario.steps):
                current, xml = self._with_steps(scenario.steps, current, xml)
            # A running domain's definition is a parsed copy (virDomainObjSetDefTransient), whose order may differ.
            normal_xml = self._read_back(self._read_back(xml))
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            raise refused_instance(str(error), refused_by="libvirt") from error
        sources = Sources.of(current.placement, current.tokens)
        if implementation.makes_own_disks:
            sources = replace(sources, disks=implementation.disk_names(placement))
        return PlannedInstance(
            current.instance,
            current.placement,
            normal_xml,
            sources,
            self._usb_cdrom_is_disk,
            scenario.steps,
            conditions_of(implementation),
        )

    def _with_steps(self, steps: tuple[Step, ...], current: CurrentInstance, xml: str) -> tuple[CurrentInstance, str]:
        domain = self.connection.defineXML(xml)
        try:
            editor = DefinitionEditor(self.connection, domain)
            for step in steps:
                current = take(step, current, editor)
            return current, editor.xml()
        finally:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)

    def plan_rescue(self, implementation: Implementation, planned: PlannedInstance, image: RescueImage) -> Plan:
        """Define the rescued and the unrescued state of an instance.

        Raises:
            HostError: the host failed.
        """
        running = RunningInstance(planned.instance, planned.placement, planned.normal_xml, planned.steps)
        try:
            rescued = implementation.rescued(running, image)
        except Refused as refused:
            return Plan(planned, image, None, None, refused)
        try:
            rescued_xml = self._read_back(rescued.xml)
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            refusal = Refused(str(error), refused_by="libvirt")
            if rescued.guest is GuestAfter.SHUT_OFF:
                refusal = refused_too_late(str(error), name=implementation.name, refused_by="libvirt")
            return Plan(planned, image, None, None, refusal)
        unrescued_xml = implementation.unrescued(Rescue(running, rescued.xml, planned.normal_xml))
        known = planned.read_backs
        if unrescued_xml not in known:
            try:
                known[unrescued_xml] = self._read_back(unrescued_xml)
            except libvirt.libvirtError as error:
                require_word_on_domain(error)
                refusal = Refused(str(error), refused_by="libvirt", guest=GuestAfter.SHUT_OFF)
                return Plan(planned, image, rescued_xml, None, None, refused_unrescue=refusal)
        return Plan(planned, image, rescued_xml, known[unrescued_xml], None)

    def _placement(self, scenario: Scenario) -> Placement:
        instance = scenario.instance
        domain_uuid = uuid.uuid4()
        folder = _FOLDER / domain_uuid.hex[:8]
        mapping = map_disks(instance)
        sources = planned_sources(mapping, folder, volumes_of(scenario))
        return placement_for(
            instance,
            mapping,
            sources,
            folder,
            domain_uuid,
            emulator=self._emulator,
            domain_type="qemu",
            usb_cdrom_is_disk=self._usb_cdrom_is_disk,
            direct_kernel=DirectKernel(folder / "kernel", folder / "ramdisk", "root=/dev/vda")
            if instance.direct_kernel
            else None,
            tpm=EmulatedTpm(folder / "tpm", str(uuid.uuid4())) if instance.properties.hw_tpm_version else None,
        )

    def _read_back(self, xml: str) -> str:
        domain = self.connection.defineXML(xml)
        try:
            return definition_of(domain)
        finally:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)


def plan_case(
    case: Case, implementation: Implementation, planner: Planner, folder: CaseFolder, outcome: Outcome
) -> None:
    """Bring a case through its states at level plan, and add the findings to ``outcome``.

    Raises:
        Refused: the implementation does not make the instance, or libvirt does not accept it.
        HostError: the host failed.
    """
    scenario = case.point.scenario
    for position, image in rescues_from(scenario.steps).items():
        before = scenario.model_copy(update={"steps": scenario.steps[:position]})
        planned = planner.plan_instance(implementation, before)
        _take_up(planner.plan_rescue(implementation, planned, image), folder, f"step-{position + 1}/", outcome)
        if not outcome.goes_on:
            return
    _take_up(planner.plan(case, implementation), folder, "", outcome)


def _take_up(plan: Plan, folder: CaseFolder, prefix: str, outcome: Outcome) -> None:
    """Keep a plan's domains, and add the plan's outcome to the case's."""
    for state, xml in plan.xml_by_state.items():
        folder.write(f"{prefix}{state}/defined.xml", xml)
        folder.write(f"{prefix}{state}/inventory.json", plan.inventory_by_state[state].model_dump_json(indent=1))
    outcome.refusal, outcome.unfit = plan.outcome.refusal, plan.outcome.unfit
    outcome.additions = plan.outcome.additions
    outcome.add(*plan.findings)


@contextmanager
def open_planner() -> Iterator[Planner]:
    """Open a planner on its own embedded hypervisor.

    Raises:
        HostError: QEMU or libvirt is missing or does not work.
    """
    emulator = find_emulator()
    with held_root(in_memory=True) as root, connect(embedded_uri(root.path)) as connection:
        yield Planner(connection, emulator)
