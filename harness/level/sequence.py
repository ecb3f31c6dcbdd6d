"""The one sequence of a case, at every level: look, rescue, look, unrescue, look, compare.

A level adds its ``InstanceUnderTest``, which brings the instance into a state and collects evidence of the state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import Refused
from harness.evidence.inventory import Inventory, State
from harness.instance.steps import take_steps
from harness.level.outcome import Outcome, Progress
from harness.scenario.steps import RescuedStep, Step
from harness.verdict.claims import additions, compare_definitions, compare_rescued_again, compare_unrescued, joined
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.restoring import not_given_back


@dataclass(frozen=True)
class Looks:
    """The inventories of the three states of one rescue."""

    normal: Inventory
    rescued: Inventory
    unrescued: Inventory
    rescued_again: tuple[Inventory, ...] = ()
    """The rescued state after each action on the rescued instance."""


class InstanceUnderTest(ABC):
    """An instance at one level. Methods raise HostError or GuestError if host or guest fails."""

    folder_prefix: str = ""
    """The folder of the rescue's artefacts within the case's folder; empty for the rescue under test."""

    @property
    def definitions(self) -> Mapping[State, Inventory]:
        """The domains of the present rescue by state, if the level looks deeper than at domains."""
        return {}

    def start(self) -> None:
        """Make the instance."""
        return

    def take(self, step: Step) -> None:
        """Take a step on the instance; if the step is a rescue, it has been carried out and looked at before."""
        raise NotImplementedError(f"{type(self).__name__} takes no step such as {step}")

    def bring_up(self) -> None:
        """Bring the instance into the normal state, ready to be looked at."""
        return

    @abstractmethod
    def look(self, state: State) -> Inventory:
        """Take the inventory of the state that the instance is in."""

    @abstractmethod
    def rescue(self) -> None:
        """Bring the instance into the rescued state; raises Refused."""

    def take_rescued(self, step: RescuedStep) -> Inventory | None:
        """Take a step on the rescued instance, and look again; None if nothing runs that the step could change."""
        del step
        return None

    @abstractmethod
    def unrescue(self) -> None:
        """Bring the instance into the unrescued state; raises Refused."""

    def choose_medium(self, step: int | None) -> None:
        """Take the rescue medium of a step, by its position, or else of the rescue under test."""
        del step

    def after_refusal(self, refused: Refused) -> tuple[Finding, ...]:
        """Return the findings about an instance whose rescue was refused."""
        del refused
        return ()

    @abstractmethod
    def expected(self, rescued: Inventory) -> Expected:
        """Return the expectations for the states; at level guest the rescued guest first writes to its disks."""

    @abstractmethod
    def host_evidence(self) -> HostEvidence:
        """Return the evidence that only the host sees, once the instance is unrescued."""

    def compare_unrescued(self, looks: Looks, expected: Expected) -> tuple[Finding, ...]:
        """Compare the unrescued state with the normal one."""
        return compare_unrescued(looks.normal, looks.rescued, looks.unrescued, expected, self.host_evidence())

    def settled(self, findings: tuple[Finding, ...], expected: Expected, looks: Looks) -> tuple[Finding, ...]:
        """Return the findings once doubts about their cause are settled."""
        del expected, looks
        return findings


def carry_out(
    subject: InstanceUnderTest,
    steps: tuple[Step, ...],
    outcome: Outcome,
    progress: Progress = lambda _phase: None,
    *,
    while_rescued: tuple[RescuedStep, ...] = (),
) -> None:
    """Bring an instance through its steps and through the rescue under test, and add the findings to ``outcome``.

    ``while_rescued``: the steps on the instance once it is rescued.

    Raises:
        Refused: the implementation does not make the instance.
        HostError, GuestError: host or guest failed.
    """
    subject.start()

    def rescue_as_step(position: int) -> bool:
        subject.folder_prefix = f"step-{position + 1}/"
        subject.choose_medium(position)
        return rescue_and_unrescue(subject, outcome) and outcome.is_restored

    if take_steps(steps, take=subject.take, rescue=rescue_as_step, progress=progress):
        subject.folder_prefix = ""
        subject.choose_medium(None)
        rescue_and_unrescue(subject, outcome, while_rescued, progress)


def rescue_and_unrescue(
    subject: InstanceUnderTest,
    outcome: Outcome,
    while_rescued: tuple[RescuedStep, ...] = (),
    progress: Progress = lambda _phase: None,
) -> bool:
    """Look at an instance, rescue it, unrescue it, and add the findings to ``outcome``.

    Return False if the rescue or the unrescue was refused.
    """
    subject.bring_up()
    normal = subject.look(State.NORMAL)
    try:
        subject.rescue()
    except Refused as refused:
        outcome.refusal = refused
        outcome.add(*subject.after_refusal(refused))
        return False
    rescued = subject.look(State.RESCUED)
    expected = subject.expected(rescued)
    again: list[Inventory] = []
    for step in while_rescued:
        progress(f"{step} while rescued")
        seen = subject.take_rescued(step)
        if seen is not None:
            again.append(seen)
    while_it_was = compare_rescued_again(normal, (rescued, *again), expected)
    try:
        subject.unrescue()
    except Refused as refused:
        so_far = joined(while_it_was, _compare_definitions(subject, expected))
        outcome.add(*so_far, not_given_back(refused))
        return False
    looks = Looks(normal, rescued, subject.look(State.UNRESCUED), tuple(again))
    findings = joined(
        while_it_was,
        subject.compare_unrescued(looks, expected),
        _compare_definitions(subject, expected),
    )
    outcome.additions = additions(normal, rescued, expected)
    earlier = outcome.findings
    outcome.add(*findings)  # keep the findings in case a control boot fails
    settled = subject.settled(findings, expected, looks)
    outcome.findings = earlier
    outcome.add(*settled)
    return True


def _compare_definitions(subject: InstanceUnderTest, expected: Expected) -> tuple[Finding, ...]:
    definitions = subject.definitions
    return compare_definitions(definitions, expected) if definitions else ()
