"""A rescue that boots nothing is blamed, an instance that boots nothing is unfit, and no single boot decides."""

from __future__ import annotations

import pytest

from harness.errors import DidNotBoot, GuestError, Refused
from harness.evidence.inventory import Inventory, State
from harness.level.outcome import Outcome
from harness.level.second_boot import booted_or_dead
from harness.level.sequence import InstanceUnderTest, carry_out
from harness.scenario.models import Expectation, ExpectedFinding
from harness.scenario.steps import RESCUE, Step
from harness.scenario.words import ClaimName, VerdictName
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.outcome import meets

from ..support.verdict_inventories import EXPECTED, NORMAL, RESCUED, UNRESCUED, edited, keys

INVENTORIES = {State.NORMAL: NORMAL, State.RESCUED: RESCUED, State.UNRESCUED: UNRESCUED}
DEAD = DidNotBoot("the firmware found nothing to boot from")
LATE = DidNotBoot("the guest was not ready within 200 s", only_its_time_ran_out=True)
RESCUE_BOOTS_NOTHING = ("booted-from-rescue", "rescue", "rescue", "nothing")
UNRESCUED_BOOTS_NOTHING = ("restored", "root", "root", "nothing")


class Stage(InstanceUnderTest):
    """An instance whose transitions fail as the test says."""

    def __init__(self, *, normal: Inventory = NORMAL, nvram_equal: bool = False, **trouble: Exception) -> None:
        self._nvram_equal = nvram_equal
        self._inventories = {**INVENTORIES, State.NORMAL: normal}
        self._trouble = trouble
        self.done: list[str] = []

    def _do(self, what: str) -> None:
        self.done.append(what)
        if (trouble := self._trouble.get(what)) is not None:
            raise trouble

    def start(self) -> None:
        self._do("start")

    def take(self, step: Step) -> None:
        self._do("take")

    def rescue(self) -> None:
        self._do("rescue")

    def unrescue(self) -> None:
        self._do("unrescue")

    def look(self, state: State) -> Inventory:
        return self._inventories[state]

    @property
    def planted(self) -> Expected:
        return EXPECTED

    def host_evidence(self) -> HostEvidence:
        return HostEvidence(nvram_equal=self._nvram_equal)


NVRAM = ("restored", "nvram", "saved", "different")


def outcome_of(stage: Stage, *steps: Step) -> Outcome:
    outcome = Outcome()
    carry_out(stage, steps, outcome)
    return outcome


@pytest.mark.parametrize("error", [DEAD, LATE], ids=["dead", "out of time"])
def test_a_rescue_that_boots_nothing_has_moved_and_the_instance_is_still_looked_at(error: DidNotBoot) -> None:
    stage = Stage(rescue=error)
    outcome = outcome_of(stage)
    assert outcome.verdict is VerdictName.MOVED
    assert keys(outcome.findings) == {RESCUE_BOOTS_NOTHING, NVRAM}
    assert error.message in outcome.findings[0].message
    assert stage.done == ["start", "rescue", "unrescue"]


def test_a_rescue_that_boots_nothing_can_be_expected() -> None:
    entry = ExpectedFinding(claim=ClaimName.BOOTED_FROM_RESCUE, device="rescue", after="nothing")
    nvram = ExpectedFinding(claim=ClaimName.RESTORED, device="nvram")
    expectation = Expectation(verdict=VerdictName.MOVED, findings=(entry, nvram))
    outcome = outcome_of(Stage(rescue=DEAD))
    assert meets(expectation, outcome.verdict, outcome.findings) is None


def test_an_unrescued_instance_that_boots_nothing_is_not_restored() -> None:
    outcome = outcome_of(Stage(unrescue=DEAD))
    assert keys(outcome.findings) == {UNRESCUED_BOOTS_NOTHING, NVRAM}
    assert not outcome.is_restored


def test_neither_state_may_hide_the_other() -> None:
    outcome = outcome_of(Stage(rescue=DEAD, unrescue=DEAD))
    assert keys(outcome.findings) == {RESCUE_BOOTS_NOTHING, UNRESCUED_BOOTS_NOTHING, NVRAM}


def test_a_dead_rescue_that_is_not_given_back_is_both() -> None:
    outcome = outcome_of(Stage(rescue=DEAD, unrescue=Refused("no")))
    assert keys(outcome.findings) == {RESCUE_BOOTS_NOTHING, ("restored", "instance", "rescued", "rescued still")}


def test_an_instance_that_boots_nothing_is_unfit_and_is_not_rescued() -> None:
    stage = Stage(start=DEAD)
    outcome = outcome_of(stage)
    assert outcome.verdict is VerdictName.UNFIT
    assert outcome.unfit is not None
    assert DEAD.message in outcome.unfit
    assert stage.done == ["start"]


def test_an_instance_that_boots_another_disk_is_unfit_and_is_not_rescued() -> None:
    stage = Stage(normal=edited(NORMAL, boot_medium="sda"), rescue=Refused("no"))
    outcome = outcome_of(stage)
    assert outcome.verdict is VerdictName.UNFIT
    assert outcome.unfit is not None
    assert outcome.unfit.startswith("booted from volume1 (sda), not from root, in the normal state")
    assert (outcome.findings, outcome.refusal) == ((), None)
    assert stage.done == ["start"]


def test_an_instance_that_only_ran_out_of_time_may_be_on_a_slow_host() -> None:
    with pytest.raises(DidNotBoot):
        outcome_of(Stage(start=LATE))


def test_an_instance_that_boots_nothing_after_a_rescue_is_not_restored() -> None:
    outcome = outcome_of(Stage(take=DEAD, nvram_equal=True), RESCUE)
    assert outcome.verdict is VerdictName.MOVED
    assert keys(outcome.findings) == {UNRESCUED_BOOTS_NOTHING}


def _booting(*boots: DidNotBoot | str) -> str:
    left = iter(boots)

    def boot() -> str:
        after = next(left)
        if isinstance(after, DidNotBoot):
            raise after
        return after

    return booted_or_dead(boot, boot, lambda _phase: None)


def test_one_good_boot_is_enough() -> None:
    assert _booting("guest") == "guest"


def test_two_dead_boots_are_a_death_with_the_second_ones_words() -> None:
    with pytest.raises(DidNotBoot, match="found nothing"):
        _booting(LATE, DEAD)


def test_a_boot_that_dies_once_says_nothing_certain() -> None:
    with pytest.raises(GuestError, match=r"found nothing to boot from; a second boot came up") as error:
        _booting(DEAD, "guest")
    assert not isinstance(error.value, DidNotBoot)
