"""The domains that libvirt makes of an instance and its rescue without a boot, and their findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harness.domain.placement import Placement
from harness.errors import Refused
from harness.evidence.inventory import Inventory, State
from harness.evidence.plan.domain_inventory import Sources, defined_inventory
from harness.implementation.request import request_or_none
from harness.instance.preparation import expected_of
from harness.level.outcome import Outcome
from harness.level.sequence import InstanceUnderTest, Looks, carry_out
from harness.reading.expectation import applicable_expectation
from harness.scenario.models import Instance, Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import Step
from harness.scenario.words import Level, VerdictName
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.outcome import meets


@dataclass(frozen=True)
class PlannedInstance:
    """An instance as libvirt defines it after its steps, with the means to look at its domains.

    ``read_backs`` and ``restored`` remember the domain that libvirt makes and the findings about it, by the XML that
    unrescue defines. Most rescues of one instance end in the same XML.
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
        """Return the inventory of one of the instance's domains."""
        return defined_inventory(xml, self.sources, usb_cdrom_is_disk=self.usb_cdrom_is_disk)

    @cached_property
    def normal(self) -> Inventory:
        """The normal state's inventory."""
        return self.inventory(self.normal_xml)


@dataclass(frozen=True)
class Plan:
    """A case's domain XML by state, as libvirt completed it; a refused rescue has a ``refusal`` instead.

    ``refused_unrescue``: libvirt does not accept the unrescued domain.
    """

    planned: PlannedInstance
    image: RescueImage
    rescued_xml: str | None
    unrescued_xml: str | None
    refusal: Refused | None
    refused_unrescue: Refused | None = None

    @property
    def inventory_by_state(self) -> dict[State, Inventory]:
        """The inventory of every state that was reached."""
        states = {State.NORMAL: self.planned.normal, State.RESCUED: self.rescued, State.UNRESCUED: self.unrescued}
        return {state: inventory for state, inventory in states.items() if inventory is not None}

    @property
    def xml_by_state(self) -> dict[State, str]:
        """The domain XML of every state that was reached."""
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
    def outcome(self) -> Outcome:
        """The outcome, as far as XML shows it: findings and additions, or the refusal."""
        outcome = Outcome()
        carry_out(DefinedInstance(self), (), outcome)
        return outcome

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every way in which the domains break the promise; none for a refusal."""
        return self.outcome.findings

    @property
    def verdict(self) -> VerdictName:
        """The case's verdict at level plan."""
        return self.outcome.verdict

    def mismatch(self, scenario: Scenario, versions: Mapping[str, str]) -> tuple[str, ...]:
        """Compare the plan with the expectation of a scenario that has the same instance and image.

        Returns:
            One sentence for each difference.

        Raises:
            ScenarioError: the scenario has no expectation for these versions.
        """
        expectation = applicable_expectation(scenario, {**versions, **self.planned.versions})
        outcome = self.outcome
        found = meets(expectation, self.verdict, self.findings, outcome.refusal, unfit=outcome.unfit, level=Level.PLAN)
        return () if found is None else found.sentences


@dataclass
class DefinedInstance(InstanceUnderTest):
    """The instance of a plan. All steps are taken and all states are defined before the first look."""

    plan: Plan

    def look(self, state: State) -> Inventory:
        """Return the inventory of a state's domain."""
        return self.plan.inventory_by_state[state]

    def rescue(self) -> None:
        """Repeat the refusal, if the rescue was refused."""
        if self.plan.refusal is not None:
            raise self.plan.refusal

    def unrescue(self) -> None:
        """Repeat the refusal, if libvirt does not accept the unrescued domain."""
        if self.plan.refused_unrescue is not None:
            raise self.plan.refused_unrescue

    @property
    def planted(self) -> Expected:
        """The planted markers and the requested device."""
        instance = self.plan.planned.instance
        return expected_of(instance, request_or_none(instance, self.plan.image), self.plan.planned.sources.tokens)

    def host_evidence(self) -> HostEvidence:
        """Compare the definitions before and after the rescue."""
        return HostEvidence(domain_xml_equal=self.plan.unrescued_xml == self.plan.planned.normal_xml)

    def compare_unrescued(self, looks: Looks, expected: Expected) -> tuple[Finding, ...]:
        """Compare the unrescued domain with the normal one, once for all rescues that end in the same domain."""
        known, xml = self.plan.planned.restored, self.plan.unrescued_xml or ""
        if xml not in known:
            known[xml] = super().compare_unrescued(looks, expected)
        return known[xml]
