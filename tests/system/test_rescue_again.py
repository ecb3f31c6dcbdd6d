"""Rescue after rescue, on machines that QEMU builds and never runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import Refused
from harness.evidence.defined import Sources
from harness.evidence.inventory import Inventory
from harness.evidence.machine import machine_inventory
from harness.guest.paused import PausedMachine
from harness.rescue.reference import Reference
from harness.run.cases import collect_cases
from harness.run.preparation import Prepared, prepared_paused
from harness.run.session import Session
from harness.scenario.words import Level
from harness.verdict.claims import compare_rescued


def inventory(ready: Prepared[PausedMachine], machine: PausedMachine) -> Inventory:
    return machine_inventory(machine.query, machine.live_xml, Sources.of(ready.performer.placement, ready.tokens))


def test_an_instance_can_be_rescued_twice_but_not_while_it_is(session: Session, minimal: Path) -> None:
    (case,) = collect_cases([minimal], Reference(), level=Level.MACHINE)
    image = case.point.scenario.rescue_image
    with prepared_paused(case, session) as ready:
        performer = ready.performer
        normal = inventory(ready, performer.start())
        performer.rescue(image)
        with pytest.raises(Refused, match="rescued already"):
            performer.rescue(image)
        assert performer.guest is not None
        assert performer.guest.domain.isActive()
        restored = inventory(ready, performer.unrescue())
        again = inventory(ready, performer.rescue(image))
    assert restored == normal
    assert compare_rescued(normal, again, ready.expected) == ()
