"""A rescue of a rescued instance, on machines that QEMU builds and never runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import Refused
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_paused
from harness.reading.cases import collect_cases
from harness.run.session import Session
from harness.scenario.words import Level


def test_a_rescued_instance_is_not_rescued_again(session: Session, minimal: Path) -> None:
    (case,) = collect_cases([minimal], Reference(), level=Level.MACHINE)
    image = case.point.scenario.rescue_image
    with prepared_paused(case, session) as ready:
        performer = ready.performer
        performer.start()
        rescued = performer.rescue(image)
        with pytest.raises(Refused, match="rescued already"):
            performer.rescue(image)
        assert performer.guest is rescued
        assert performer.domain.isActive()
