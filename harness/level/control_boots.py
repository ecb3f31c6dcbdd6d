"""Control boots: boot states again until a kernel race can be distinguished from a moved disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from harness.evidence.inventory import Inventory, State
from harness.guest.booted import BootedGuest
from harness.instance.life_cycle import LifeCycle
from harness.level.sequence import Looks
from harness.scenario.rescue_image import RescueImage
from harness.verdict.expected import Expected
from harness.verdict.finding import Finding
from harness.verdict.names import names_by_disk
from harness.verdict.race import is_shown_to_race, needs_control_boots, settle_by_controls


class Bootable(Protocol):
    """An instance that can be booted again in a state."""

    control_boots: int

    @property
    def image(self) -> RescueImage:
        """The image of the present rescue."""

    @property
    def definitions(self) -> dict[State, Inventory]:
        """The domain of each state's first boot."""

    @property
    def life_cycle(self) -> LifeCycle[BootedGuest]:
        """The instance's life cycle."""

    def boot(self, state: State, transition: Callable[[], BootedGuest], *, control: int = 0) -> None:
        """Boot into a state."""

    def look(self, state: State, *, control: int = 0) -> Inventory:
        """Collect the inventory of the running guest."""


def settled_by_control_boots(
    subject: Bootable, findings: tuple[Finding, ...], expected: Expected, looks: Looks, *, is_hot: bool
) -> tuple[Finding, ...]:
    """Return the findings with their causes, as far as control boots show them.

    ``is_hot``: devices were attached or detached between the last boot and the rescue.

    Raises:
        HostError, GuestError: host or guest failed.
    """
    predicted = names_by_disk(subject.definitions, expected)
    in_doubt = needs_control_boots(findings, predicted)
    if not subject.control_boots or not (in_doubt or looks.normal_again):
        return findings
    life_cycle = subject.life_cycle
    same_domain = life_cycle.defined_xml[State.UNRESCUED] == life_cycle.saved_xml
    boots_before = 1 + len(looks.normal_again)
    normal_again: list[Inventory] = []
    rescued_again: list[Inventory] = []

    def boots() -> tuple[tuple[Inventory, ...], tuple[Inventory, ...], tuple[Inventory, ...]]:
        return (
            (looks.normal, *looks.normal_again, *normal_again),
            (*_those(looks.rescued), *looks.rescued_again, *rescued_again),
            (*_those(looks.unrescued), *(normal_again if same_domain else ())),
        )

    def settle() -> tuple[Finding, ...]:
        return settle_by_controls(
            findings, expected, *boots(), predicted=predicted, boots_before=boots_before, is_hot=is_hot
        )

    def is_shown() -> bool:
        return not is_hot and is_shown_to_race(
            findings, expected, *boots(), predicted=predicted, boots_before=boots_before
        )

    def is_settled_by(state: State, again: list[Inventory], first_boot: Callable[[], BootedGuest]) -> bool:
        done = len(looks.normal_again) if state is State.NORMAL else 0
        for inventory in _boots_again(subject, state, first_boot, done):
            again.append(inventory)
            if is_shown():
                return True
        return False

    if not in_doubt or is_shown():
        return settle()
    if is_settled_by(State.NORMAL, normal_again, life_cycle.reboot_as_saved) or State.RESCUED not in in_doubt:
        return settle()
    if is_hot and not needs_control_boots([finding for finding in settle() if finding.cause != "reboot"], predicted):
        return settle()
    is_settled_by(State.RESCUED, rescued_again, lambda: life_cycle.rescue(subject.image))
    return settle()


def _those(looked_at: Inventory | None) -> tuple[Inventory, ...]:
    return () if looked_at is None else (looked_at,)


def _boots_again(subject: Bootable, state: State, first: Callable[[], BootedGuest], done: int) -> Iterator[Inventory]:
    """Boot a state as a control, the first time by the transition into the state; ``done`` boots were before."""
    for number in range(1 + done, subject.control_boots + 1):
        transition = first if number == 1 + done else subject.life_cycle.reboot
        subject.boot(state, transition, control=number)
        yield subject.look(state, control=number)
