"""The sequence of a case: what is looked at, when, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import DidNotBoot, Refused
from harness.evidence.inventory import Inventory, State
from harness.level.outcome import Outcome
from harness.level.sequence import InstanceUnderTest, carry_out
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import RescuedStep, RescueFrom, Step
from harness.scenario.words import ClaimName, Level
from harness.verdict.coverage import claim_statuses
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.finding import Finding

from ..support.verdict_inventories import EXPECTED, NORMAL, RESCUED, UNRESCUED, changed, edited


@dataclass
class Seen(InstanceUnderTest):
    """An instance that looks as it is told, and notes what is done to it."""

    rescued: tuple[Inventory, ...]
    done: list[object] = field(default_factory=list)

    def take(self, step: Step) -> None:
        pass

    def choose_medium(self, step: int | None) -> None:
        self.done.append(("medium", step))

    def look(self, state: State) -> Inventory:
        return {State.NORMAL: NORMAL, State.RESCUED: self.rescued[0], State.UNRESCUED: UNRESCUED}[state]

    def rescue(self) -> None:
        self.done.append("rescue")

    def take_rescued(self, step: RescuedStep) -> Inventory:
        self.done.append(step)
        return self.rescued[self.done.count(step)]

    def unrescue(self) -> None:
        self.done.append("unrescue")

    @property
    def planted(self) -> Expected:
        return EXPECTED

    def host_evidence(self) -> HostEvidence:
        return HostEvidence()


def rebooted(inventory: Inventory, boot_id: str = "again") -> Inventory:
    return edited(inventory, boot_id=boot_id)


def outcome_of(subject: Seen, *steps: Step, while_rescued: tuple[RescuedStep, ...] = ("reboot",)) -> Outcome:
    outcome = Outcome()
    carry_out(subject, steps, outcome, while_rescued=while_rescued)
    return outcome


def test_a_guest_that_reboots_from_the_medium_with_its_names_is_stable() -> None:
    subject = Seen((RESCUED, rebooted(RESCUED)))
    assert outcome_of(subject).findings == ()
    assert subject.done == [("medium", None), "rescue", "reboot", "unrescue"]


def test_a_guest_that_reboots_from_the_old_root_is_found() -> None:
    (finding,) = outcome_of(Seen((RESCUED, rebooted(edited(RESCUED, boot_medium="vda"))))).findings
    assert (finding.claim, finding.before, finding.after) == ("booted-from-rescue", "rescue", "root")
    assert finding.message.endswith(", after a reboot while rescued")


def test_a_name_that_only_the_reboot_changes_is_found() -> None:
    (finding,) = outcome_of(Seen((RESCUED, rebooted(changed(RESCUED, "volume1", name="sdz"))))).findings
    assert (finding.claim, finding.device, finding.after) == ("names", "volume1", "sdz")


def test_a_guest_that_did_not_reboot_is_found() -> None:
    (finding,) = outcome_of(Seen((RESCUED, RESCUED))).findings
    assert (finding.before, finding.after) == ("new boot", "same boot")


class Dying(Seen):
    """An instance whose rescued guest does not come up after a reboot."""

    def take_rescued(self, step: RescuedStep) -> Inventory:
        raise DidNotBoot("QEMU ended before the guest was ready")


def test_a_guest_that_does_not_come_up_after_the_reboot_is_found_and_unrescued() -> None:
    subject = Dying((RESCUED,))
    (finding,) = outcome_of(subject).findings
    assert (finding.claim, finding.before, finding.after) == ("booted-from-rescue", "rescue", "nothing")
    assert subject.done[-1] == "unrescue"


def test_what_each_boot_shows_is_told_once() -> None:
    moved = changed(RESCUED, "volume1", name="sdz")
    (finding,) = outcome_of(Seen((moved, rebooted(moved)))).findings
    assert "reboot" not in finding.message


def test_another_device_that_is_told_to_boot_is_found_without_a_guest() -> None:
    told = edited(RESCUED, boot_order=("sdc", "vda"))
    found = {(each.claim, each.device) for each in outcome_of(Seen((told,)), while_rescued=()).findings}
    assert found == {(ClaimName.BOOTED_FROM_RESCUE, "root")}


def test_each_rescue_has_its_own_medium() -> None:
    subject = Seen((RESCUED,))
    outcome_of(subject, RescueFrom(rescue=RescueImage()), "rescue", while_rescued=())
    assert subject.done == [
        *(("medium", 0), "rescue", "unrescue"),
        *(("medium", 1), "rescue", "unrescue"),
        *(("medium", None), "rescue", "unrescue"),
    ]


@dataclass
class Refusing(Seen):
    """Its rescue or its unrescue is refused, and a refused rescue has done harm."""

    at: State = State.RESCUED

    def rescue(self) -> None:
        if self.at is State.RESCUED:
            raise Refused("no")
        super().rescue()

    def unrescue(self) -> None:
        raise Refused("no")

    def after_refusal(self, refused: Refused) -> tuple[Finding, ...]:
        return (Finding(claim=ClaimName.RESTORED, device="folder", before="no file", after="x", message="left over"),)


def statuses(outcome: Outcome) -> dict[str, set[ClaimName]]:
    found: dict[str, set[ClaimName]] = {}
    for each in claim_statuses(Level.GUEST, outcome.findings, outcome.not_told):
        found.setdefault(each.status, set()).add(each.claim)
    return found


def test_nothing_is_held_of_a_rescue_that_was_refused_and_did_harm() -> None:
    found = statuses(outcome_of(Refusing((RESCUED,)), while_rescued=()))
    assert found == {"broken": {ClaimName.RESTORED}, "not-checked": set(ClaimName) - {ClaimName.RESTORED}}


def test_what_an_unrescue_would_show_is_not_held_if_it_is_refused() -> None:
    subject = Refusing((RESCUED,))
    subject.at = State.UNRESCUED
    found = statuses(outcome_of(subject, while_rescued=()))
    assert (found["broken"], found["not-checked"]) == ({ClaimName.RESTORED}, {ClaimName.DATA})
    assert found["partly"] == {ClaimName.BOOTED_FROM_RESCUE}
