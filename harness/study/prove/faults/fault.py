"""A fault: the reference implementation broken on purpose in one place, and the claim that should notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.domain.placement import Placement
from harness.domain.xml import parse_domain, serialise
from harness.implementation.protocol import Implementation, Rescue, RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.implementation.request import requests_stable_devices
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import Step
from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults.draft import Draft, NotApplicable

Edit = Callable[[Draft], None]
"""Spoils a domain, or a file behind one of its disks; raises NotApplicable if the domain has nothing to spoil."""


@dataclass(frozen=True)
class Fault:
    """One fault: its edits by state, the claim that must notice, and the shallowest level at which the claim can.

    ``case`` is the shipped case that shows the fault if showing it takes a machine or a booted guest.
    ``is_of_text_alone`` is true if only the comparison of the domain's text before and after can tell. ``refuses`` is
    true if the broken rescue is refused after it has done harm.
    """

    name: str
    summary: str
    claim: ClaimName
    normal: Edit | None = field(default=None, repr=False)
    rescued: Edit | None = field(default=None, repr=False)
    unrescued: Edit | None = field(default=None, repr=False)
    level: Level = Level.PLAN
    case: str | None = None
    is_of_text_alone: bool = False
    refuses: bool = False

    def __post_init__(self) -> None:
        if not (self.normal or self.rescued or self.unrescued):
            raise ValueError(f"{self.name} breaks nothing")
        if (self.level is Level.PLAN) != (self.case is None):
            raise ValueError(f"{self.name}: a case goes with a level deeper than plan, and only with that")


class Broken(Implementation):
    """The reference with one fault.

    The fault leaves a legacy rescue alone, because that moves disks by design.
    """

    def __init__(self, fault: Fault, reference: Reference | None = None) -> None:
        self._fault = fault
        self._reference = reference or Reference()

    @property
    def name(self) -> str:
        """The implementation's name in results."""
        return f"fault:{self._fault.name}"

    def normal(self, instance: Instance, placement: Placement) -> str:
        """Make the domain of the running instance, and break it.

        Raises:
            NotApplicable: the fault has nothing to break in it.
        """
        xml = self._reference.normal(instance, placement)
        return _edited(self._fault.normal, xml, placement)

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        """Make the domain of the rescued instance, and break it.

        Raises:
            Refused: the reference refuses the rescue.
            NotApplicable: the fault has nothing to break in the domain.
        """
        xml = self._reference.rescued(running, image).xml
        if not requests_stable_devices(image.properties):
            raise NotApplicable("a legacy rescue")
        return RescuedDomain(_edited_of(running, self._fault.rescued, xml, running.live_xml))

    def unrescued(self, rescue: Rescue) -> str:
        """Make the domain after the rescue, and break it.

        Raises:
            NotApplicable: the fault has nothing to break in it.
        """
        xml = self._reference.unrescued(rescue)
        return _edited_of(rescue.running, self._fault.unrescued, xml, rescue.rescued_xml)


def _edited_of(running: RunningInstance, edit: Edit | None, xml: str, before_xml: str) -> str:
    return _edited(edit, xml, running.placement, before_xml, running.steps)


def _edited(
    edit: Edit | None,
    xml: str,
    placement: Placement,
    before_xml: str | None = None,
    steps: tuple[Step, ...] = (),
) -> str:
    if edit is None:
        return xml
    before = None if before_xml is None else parse_domain(before_xml)
    draft = Draft(parse_domain(xml), placement, before, steps)
    edit(draft)
    return serialise(draft.root)
