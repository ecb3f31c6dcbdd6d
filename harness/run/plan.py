"""The domains of a case without a boot: defined in libvirt, read back, undefined."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import libvirt

from harness.domain.placement import DirectKernel, EmulatedTpm, Placement
from harness.errors import HostError, Refused
from harness.evidence.defined import Sources, defined_inventory
from harness.evidence.inventory import Inventory, State
from harness.hypervisor.connection import (
    connect,
    definition_of,
    embedded_uri,
    require_word_on_domain,
    usb_cdrom_is_disk,
)
from harness.hypervisor.host import find_emulator, versions_of
from harness.hypervisor.roots import held_root
from harness.rescue.protocol import (
    ForeignImplementation,
    Implementation,
    RunningInstance,
    versions_of_implementation,
)
from harness.rescue.refusals import refused_instance, refused_too_late
from harness.rescue.request import request_or_none
from harness.run.cases import Case
from harness.run.disks import planned_sources
from harness.run.outcome import Outcome, Progress
from harness.run.placing import placement_for
from harness.run.preparation import expected_of
from harness.run.record import CaseFolder
from harness.run.session import Session
from harness.run.stage import Stage
from harness.run.steps import DefinitionHand, changes_definition, refuse_steps_of_its_own, take, volumes_of
from harness.scenario.expectation import applicable_expectation
from harness.scenario.models import Instance, RescueImage, Scenario
from harness.scenario.steps import Step
from harness.scenario.words import Level, VerdictName
from harness.verdict.claims import additions, compare_rescued, compare_unrescued
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.outcome import meets, verdict_of

_FOLDER = Path("/instances")


@dataclass(frozen=True)
class PlannedInstance:
    """An instance as libvirt defines it after its steps, with what its domains are looked at with.

    ``read_backs`` and ``restored`` remember, by the XML given back to the instance, what libvirt makes of it and what
    is wrong with it: for most rescues of one instance it is the same.
    """

    instance: Instance
    placement: Placement
    normal_xml: str
    sources: Sources
    usb_cdrom_is_disk: bool
    steps: tuple[Step, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict, compare=False)
    read_backs: dict[str, str] = field(default_factory=dict, compare=False)
    restored: dict[str, tuple[Finding, ...]] = field(default_factory=dict, compare=False)

    def inventory(self, xml: str) -> Inventory:
        """The inventory of one of its domains."""
        return defined_inventory(xml, self.sources, usb_cdrom_is_disk=self.usb_cdrom_is_disk)

    @cached_property
    def normal(self) -> Inventory:
        """The normal state's inventory."""
        return self.inventory(self.normal_xml)


@dataclass(frozen=True)
class Plan:
    """A case's domain XML by state as libvirt completed it; ``refusal`` in place of the rescue."""

    planned: PlannedInstance
    image: RescueImage
    rescued_xml: str | None
    unrescued_xml: str | None
    refusal: Refused | None

    @property
    def inventory_by_state(self) -> dict[State, Inventory]:
        """The inventory of every state that came about."""
        states = {State.NORMAL: self.planned.normal, State.RESCUED: self.rescued, State.UNRESCUED: self.unrescued}
        return {state: inventory for state, inventory in states.items() if inventory is not None}

    @property
    def xml_by_state(self) -> dict[State, str]:
        """The domain XML of every state that came about."""
        states = {
            State.NORMAL: self.planned.normal_xml,
            State.RESCUED: self.rescued_xml,
            State.UNRESCUED: self.unrescued_xml,
        }
        return {state: xml for state, xml in states.items() if xml is not None}

    @cached_property
    def rescued(self) -> Inventory | None:
        """The rescued state's inventory."""
        return None if self.rescued_xml is None else self.planned.inventory(self.rescued_xml)

    @cached_property
    def unrescued(self) -> Inventory | None:
        """The unrescued state's inventory."""
        if self.unrescued_xml == self.planned.normal_xml:
            return self.planned.normal
        return None if self.unrescued_xml is None else self.planned.inventory(self.unrescued_xml)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every way in which the domains break the promise, as far as XML shows it; none for a refusal."""
        normal, rescued, unrescued = self.planned.normal, self.rescued, self.unrescued
        if rescued is None or unrescued is None or self.unrescued_xml is None:
            return ()
        expected = self._expected()
        known = self.planned.restored
        if self.unrescued_xml not in known:
            host = HostEvidence(domain_xml_equal=self.unrescued_xml == self.planned.normal_xml)
            known[self.unrescued_xml] = compare_unrescued(normal, rescued, unrescued, expected, host)
        return (*compare_rescued(normal, rescued, expected), *known[self.unrescued_xml])

    @property
    def verdict(self) -> VerdictName:
        """How the case ends at level plan."""
        return VerdictName.REFUSED if self.refusal is not None else verdict_of(self.findings)

    def mismatch(self, scenario: Scenario, versions: Mapping[str, str]) -> tuple[str, ...]:
        """How that differs from what a scenario of this instance and rescue image expects, a sentence each.

        Raises:
            ScenarioError: the scenario expects nothing for these versions.
        """
        expectation = applicable_expectation(scenario, {**versions, **self.planned.versions})
        found = meets(expectation, self.verdict, self.findings, self.refusal, level=Level.PLAN)
        return () if found is None else found.sentences

    def additions(self) -> tuple[str, ...]:
        """What the rescue added rightly, in a sentence each."""
        if self.rescued is None:
            return ()
        return additions(self.planned.normal, self.rescued, self._expected())

    def _expected(self) -> Expected:
        instance = self.planned.instance
        return expected_of(instance, request_or_none(instance, self.image), self.planned.sources.tokens)


class Planner:
    """Defines domains on one connection."""

    def __init__(self, connection: libvirt.virConnect, emulator: str) -> None:
        self.connection = connection
        self._emulator = emulator
        self.versions = versions_of(connection)
        self._usb_cdrom_is_disk = usb_cdrom_is_disk(connection)

    def plan(self, case: Case) -> Plan:
        """Plan one case.

        Raises:
            Refused: the implementation does not make the instance.
            HostError: libvirt does not accept the instance.
        """
        scenario = case.point.scenario
        planned = self.plan_instance(case.implementation, scenario)
        return self.plan_rescue(case.implementation, planned, scenario.rescue_image)

    def plan_instance(self, implementation: Implementation, scenario: Scenario) -> PlannedInstance:
        """Define the normal state of a scenario's instance, with its steps taken.

        Raises:
            Refused: the implementation does not make it.
            HostError: libvirt does not accept it, or does not take a step.
        """
        if isinstance(implementation, ForeignImplementation):
            refuse_steps_of_its_own(implementation, scenario.steps)
        instance = scenario.instance
        placement = self._placement(scenario)
        stage = Stage.first(instance, placement, dict.fromkeys(placement.sources, "planned"))
        try:
            xml = implementation.normal(instance, placement)
            if changes_definition(scenario.steps):
                stage, xml = self._with_steps(scenario.steps, stage, xml)
            # A running domain's definition is a parsed copy (virDomainObjSetDefTransient), which may order otherwise.
            normal_xml = self._read_back(self._read_back(xml))
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            if isinstance(implementation, ForeignImplementation):
                raise refused_instance(str(error), refused_by="libvirt") from error
            raise HostError(
                f"libvirt does not accept the instance: {error}", hint="the scenario's instance cannot exist here"
            ) from error
        sources = Sources.of(stage.placement, stage.tokens)
        if isinstance(implementation, ForeignImplementation):
            sources = replace(sources, disks=implementation.disk_names(instance, placement))
        return PlannedInstance(
            stage.instance,
            stage.placement,
            normal_xml,
            sources,
            self._usb_cdrom_is_disk,
            scenario.steps,
            versions_of_implementation(implementation),
        )

    def _with_steps(self, steps: tuple[Step, ...], stage: Stage, xml: str) -> tuple[Stage, str]:
        domain = self.connection.defineXML(xml)
        try:
            hand = DefinitionHand(self.connection, domain)
            for step in steps:
                stage = take(step, stage, hand)
            return stage, hand.xml()
        finally:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)

    def plan_rescue(self, implementation: Implementation, planned: PlannedInstance, image: RescueImage) -> Plan:
        """Define the rescued and the unrescued state of an instance.

        Raises:
            HostError: libvirt does not take the unrescued domain.
        """
        running = RunningInstance(planned.instance, planned.placement, planned.normal_xml, planned.steps)
        try:
            rescued_xml = self._read_back(implementation.rescued(running, image))
        except Refused as refused:
            return Plan(planned, image, None, None, refused)
        except libvirt.libvirtError as error:
            require_word_on_domain(error)
            refusal = Refused(str(error), refused_by="libvirt")
            if isinstance(implementation, ForeignImplementation) and implementation.has_switched_off:
                refusal = refused_too_late(str(error), name=implementation.name, refused_by="libvirt")
            return Plan(planned, image, None, None, refusal)
        unrescued_xml = implementation.unrescued(planned.normal_xml)
        known = planned.read_backs
        if unrescued_xml not in known:
            try:
                known[unrescued_xml] = self._read_back(unrescued_xml)
            except libvirt.libvirtError as error:
                raise HostError(f"libvirt does not take the unrescued domain: {error}") from error
        return Plan(planned, image, rescued_xml, known[unrescued_xml], None)

    def _placement(self, scenario: Scenario) -> Placement:
        instance = scenario.instance
        domain_uuid = uuid.uuid4()
        folder = _FOLDER / domain_uuid.hex[:8]
        sources = planned_sources(instance, folder, volumes_of(scenario))
        return placement_for(
            instance,
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


def plan_case(case: Case, session: Session, folder: CaseFolder, progress: Progress, outcome: Outcome) -> None:
    """Bring a case through its states at level plan and leave what was found in ``outcome``.

    Raises:
        HostError: libvirt does not accept the instance.
    """
    progress("plan")
    try:
        plan = Planner(session.hypervisor.connection, session.hypervisor.emulator).plan(case)
    except Refused as refused:
        outcome.refusal = refused
        return
    for state, xml in plan.xml_by_state.items():
        folder.write(f"{state}/defined.xml", xml)
        folder.write(f"{state}/inventory.json", plan.inventory_by_state[state].model_dump_json(indent=1))
    if plan.refusal is not None:
        outcome.refusal = plan.refusal
        return
    outcome.findings = plan.findings
    outcome.additions = plan.additions()


@contextmanager
def open_planner() -> Iterator[Planner]:
    """A planner on an embedded hypervisor of its own.

    Raises:
        HostError: QEMU or libvirt is missing or does not work.
    """
    emulator = find_emulator()
    with held_root(in_memory=True) as root, connect(embedded_uri(root.path)) as connection:
        yield Planner(connection, emulator)
