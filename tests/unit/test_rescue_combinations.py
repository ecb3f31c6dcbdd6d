"""The table of combinations is the code's, and no cell of it only claims to boot."""

from __future__ import annotations

from pathlib import Path

from harness.rescue.combinations import combinations, combinations_page
from harness.rescue.request import request_or_none
from harness.run.cases import SHIPPED_SUITE
from harness.scenario.loading import load_scenarios
from harness.scenario.words import VerdictName

PAGE = Path(__file__).parents[2] / "docs" / "combinations.md"


def test_published_page_is_the_codes() -> None:
    assert PAGE.read_text() == combinations_page(), "write it anew: make tables"


def test_every_refusal_names_who_refuses() -> None:
    assert {cell.refusal.refused_by for cell in combinations() if cell.refusal} == {"libvirt", "QEMU", "OVMF"}


def test_every_cell_that_boots_is_booted_by_the_shipped_suite() -> None:
    booted = set()
    for loaded in load_scenarios([SHIPPED_SUITE]):
        for point in loaded.points:
            instance = point.scenario.instance
            request = request_or_none(instance, point.scenario.rescue_image)
            refused = any(entry.verdict is VerdictName.REFUSED for entry in point.scenario.expect)
            if request is not None and not refused:
                machine = "q35" if instance.is_q35 else "pc"
                booted.add((machine, instance.firmware, str(request.bus), str(request.device)))
    claimed = {(cell.machine, cell.firmware, cell.bus, cell.device) for cell in combinations() if cell.refusal is None}
    assert claimed <= booted
