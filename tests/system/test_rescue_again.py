"""A rescue of a rescued instance, on machines that QEMU builds and never runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import Refused
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_machine
from harness.reading.cases import collect_cases
from harness.run.session import Session
from harness.scenario.words import Level


def test_a_rescued_instance_is_not_rescued_again(session: Session, minimal: Path) -> None:
    (case,) = collect_cases([minimal], Reference(), level=Level.MACHINE)
    image = case.point.scenario.rescue_image
    with prepared_machine(case, session) as ready:
        life_cycle = ready.life_cycle
        life_cycle.start()
        rescued = life_cycle.rescue(image)
        with pytest.raises(Refused, match="rescued already"):
            life_cycle.rescue(image)
        assert life_cycle.guest is rescued
        assert life_cycle.domain.isActive()
