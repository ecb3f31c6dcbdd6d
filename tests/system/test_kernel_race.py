"""Names that differ over intact addresses: one real case of each cause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.rescue.reference import Reference
from harness.run.cases import collect_cases
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.models import ClaimName, VerdictName

from .implementations import SlotBeforeTheOthers

MOVED = """\
name: slot-before-the-others
summary: Linux names virtio disks in PCI order, whatever libvirt calls them
instance:
  machine: pc
  disks: [{role: root}, {role: volume}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""

RACE = """\
name: race
summary: USB sticks as volumes, which the kernel names as they come
instance:
  properties: {hw_usb_model: qemu-xhci}
  disks:
    - {role: root}
    - {role: volume, bus: usb}
    - {role: volume, bus: usb}
    - {role: volume, bus: usb}
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""
ATTEMPTS = 6
"""Three boots agree by chance in one of four attempts, as measured."""
CONTROL_BOOTS = 5
"""Enough for six boots of each state never to be constant in both by chance, with odds of 2:3."""


def test_names_that_rescue_moves_every_time_are_blamed_on_it(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "moved.yaml"
    path.write_text(MOVED)
    (case,) = collect_cases([path], SlotBeforeTheOthers())
    result = run_case(case, session)
    assert result.verdict is VerdictName.MOVED
    moved = {finding.device: finding for finding in result.findings if finding.claim is ClaimName.NAMES}
    assert {device: (finding.before, finding.after) for device, finding in moved.items()} == {
        "root": ("vda", "vdb"),
        "volume1": ("vdb", "vdc"),
    }
    assert all(finding.cause == "rescue" for finding in moved.values())
    assert {finding.claim for finding in result.findings} == {ClaimName.NAMES}
    assert sum(boot.control for boot in result.boots) == 6


def test_names_that_race_are_never_blamed_on_rescue(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "race.yaml"
    path.write_text(RACE)
    patient = replace(session, control_boots=CONTROL_BOOTS)
    for case in collect_cases([path], Reference(), repeat=ATTEMPTS):
        result = run_case(case, patient)
        assert result.verdict is VerdictName.STABLE, result.sentences()
        if result.findings:
            break
    assert result.findings, f"the kernel named the sticks alike in {3 * ATTEMPTS} boots: is there still a race?"
    assert all(finding.cause == "kernel-race" for finding in result.findings)
    assert all(finding.rate is not None and "boots" in finding.rate for finding in result.findings)
