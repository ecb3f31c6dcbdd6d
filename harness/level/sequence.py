"""The one sequence of a case, at every level: look, rescue, look, unrescue, look, compare.

A level adds its ``InstanceUnderTest``, which brings the instance into a state and collects evidence of the state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import DidNotBoot, Refused
from harness.evidence.inventory import Inventory, State
from harness.instance.steps import take_steps
from harness.level.outcome import Outcome, Progress
from harness.scenario.steps import RescuedStep, Step
from harness.verdict.claims import additions, compare_definitions, compare_rescued_again, compare_unrescued, joined
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.guest_kernel import attribute_to_software
from harness.verdict.names import by_domains, names_by_disk, remarks
from harness.verdict.not_booted import boots_nothing, why_dead, why_unfit
from harness.verdict.not_told import not_reached, not_told
from harness.verdict.restoring import not_given_back, restored_on_host


@dataclass(frozen=True)
class Looks:
    """The inventories of the three states of one rescue; None for a state that did not come up."""

    normal: Inventory
    rescued: Inventory | None
    unrescued: Inventory | None
    rescued_again: tuple[Inventory, ...] = ()
    """The rescued state after each action on the rescued instance."""
    normal_again: tuple[Inventory, ...] = ()
    """The normal state in a further boot before the rescue."""


class InstanceUnderTest(ABC):
    """An instance at one level. Methods raise HostError or GuestError if host or guest fails."""

    folder_prefix: str = ""
    """The folder of the rescue's artefacts within the case's folder; empty for the rescue under test."""

    sees_kernel_names: bool = False
    """True if a Linux gives the disks their names, and not the harness's model alone."""

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

    def look_at_varying_names(self) -> tuple[Inventory, ...]:
        """Boot the normal state again and look if Linux may vary names in it, before a rescue can change anything."""
        return ()

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

    @property
    @abstractmethod
    def planted(self) -> Expected:
        """The expectations as far as they are known before any rescue: the planted markers and the requested device."""

    def expected(self, rescued: Inventory) -> Expected:
        """Return the expectations for the states; at level guest the rescued guest first writes to its disks."""
        del rescued
        return self.planted

    @abstractmethod
    def host_evidence(self) -> HostEvidence:
        """Return the evidence that only the host sees, once the instance is unrescued."""

    def compare_unrescued(self, looks: Looks, expected: Expected) -> tuple[Finding, ...]:
        """Compare the unrescued state with the normal one, or only what the host sees if the state did not come up."""
        host = self.host_evidence()
        if looks.unrescued is None:
            return tuple(restored_on_host(host))
        return compare_unrescued(looks.normal, looks.rescued, looks.unrescued, expected, host)

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

    ``while_rescued``: the steps on the instance once it is rescued. An instance that boots nothing by itself, or not
    from its root, is unfit, and is not rescued.

    Raises:
        Refused: the implementation does not make the instance.
        HostError, GuestError: host or guest failed.
    """
    was_rescued = False

    def rescue_as_step(position: int) -> bool:
        nonlocal was_rescued
        subject.folder_prefix = f"step-{position + 1}/"
        subject.choose_medium(position)
        is_done = rescue_and_unrescue(subject, outcome) and outcome.is_restored
        was_rescued = True
        return is_done

    try:
        subject.start()
        if take_steps(steps, take=subject.take, rescue=rescue_as_step, progress=progress):
            subject.folder_prefix = ""
            subject.choose_medium(None)
            rescue_and_unrescue(subject, outcome, while_rescued, progress)
    except DidNotBoot as error:
        if was_rescued:
            outcome.add(boots_nothing(State.UNRESCUED, subject.planted, error))
        elif error.only_its_time_ran_out:
            raise
        else:
            outcome.unfit = why_dead(error)


def rescue_and_unrescue(
    subject: InstanceUnderTest,
    outcome: Outcome,
    while_rescued: tuple[RescuedStep, ...] = (),
    progress: Progress = lambda _phase: None,
) -> bool:
    """Look at an instance, rescue it, unrescue it, and add the findings to ``outcome``.

    Return False if the instance is unfit, or if the rescue or the unrescue was refused.

    Raises:
        DidNotBoot: the instance does not boot before the rescue.
        HostError, GuestError: host or guest failed.
    """
    subject.bring_up()
    normal = subject.look(State.NORMAL)
    outcome.unfit = why_unfit(normal, subject.planted)
    if outcome.unfit is not None:
        return False
    normal_again = subject.look_at_varying_names()
    try:
        rescued, expected, dead = _rescued(subject, while_rescued, progress)
    except Refused as refused:
        outcome.refusal = refused
        outcome.add(*subject.after_refusal(refused))
        outcome.leave_untold(*not_reached(State.RESCUED), *not_reached(State.UNRESCUED))
        return False
    if not rescued:
        outcome.leave_untold(*not_reached(State.RESCUED))
    so_far = joined(dead, _compare_rescued(subject, normal, rescued, expected) if rescued else ())
    unrescued: Inventory | None = None
    try:
        subject.unrescue()
    except Refused as refused:
        so_far = joined(so_far, _compare_definitions(subject, expected))
        outcome.add(*_by_domains(subject, so_far, expected), not_given_back(refused))
        outcome.leave_untold(*not_reached(State.UNRESCUED))
        return False
    except DidNotBoot as error:
        so_far = joined(so_far, (boots_nothing(State.UNRESCUED, expected, error),))
        outcome.leave_untold(*not_reached(State.UNRESCUED))
    else:
        unrescued = subject.look(State.UNRESCUED)
    looks = Looks(normal, rescued[0] if rescued else None, unrescued, rescued[1:], normal_again)
    findings = joined(so_far, subject.compare_unrescued(looks, expected), _compare_definitions(subject, expected))
    findings = _by_domains(subject, findings, expected)
    outcome.additions = _additions(subject, normal, rescued[0], expected) if rescued else ()
    seen = [(State.RESCUED, each) for each in rescued] + [(State.UNRESCUED, each) for each in (unrescued,) if each]
    outcome.leave_untold(*(each for state, other in seen for each in not_told(normal, other, state, expected)))
    earlier = outcome.findings
    outcome.add(*findings)  # keep the findings in case a control boot fails
    if unrescued is not None:
        settled = subject.settled(findings, expected, looks)
        outcome.findings = earlier
        outcome.add(*settled)
    return True


def _rescued(
    subject: InstanceUnderTest, steps: tuple[RescuedStep, ...], progress: Progress
) -> tuple[tuple[Inventory, ...], Expected, tuple[Finding, ...]]:
    """Rescue an instance, and look at it at once and after each step.

    Returns:
        The inventories, the expectations for the states, and the finding about a boot that came to nothing.

    Raises:
        Refused: the rescue is refused.
        HostError, GuestError: host or guest failed.
    """
    seen: list[Inventory] = []
    expected = subject.planted
    try:
        subject.rescue()
        seen.append(subject.look(State.RESCUED))
        expected = subject.expected(seen[0])
        for step in steps:
            progress(f"{step} while rescued")
            again = subject.take_rescued(step)
            if again is not None:
                seen.append(again)
    except DidNotBoot as error:
        return tuple(seen), expected, (boots_nothing(State.RESCUED, expected, error),)
    return tuple(seen), expected, ()


def _compare_rescued(
    subject: InstanceUnderTest, normal: Inventory, rescued: tuple[Inventory, ...], expected: Expected
) -> tuple[Finding, ...]:
    findings = compare_rescued_again(normal, rescued, expected)
    return attribute_to_software(findings, normal, rescued[0], expected, subject.definitions)


def _compare_definitions(subject: InstanceUnderTest, expected: Expected) -> tuple[Finding, ...]:
    definitions = subject.definitions
    return compare_definitions(definitions, expected) if definitions else ()


def _by_domains(subject: InstanceUnderTest, findings: tuple[Finding, ...], expected: Expected) -> tuple[Finding, ...]:
    """Return the findings with those about names that a guest's domains have changed, whatever the guest shows."""
    if not subject.sees_kernel_names:
        return findings
    return by_domains(findings, names_by_disk(subject.definitions, expected))


def _additions(
    subject: InstanceUnderTest, normal: Inventory, rescued: Inventory, expected: Expected
) -> tuple[str, ...]:
    domains = subject.definitions or {State.NORMAL: normal, State.RESCUED: rescued}
    return (*additions(normal, rescued, expected), *remarks(names_by_disk(domains, expected)))
