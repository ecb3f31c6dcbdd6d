"""Names that differ over intact addresses: one real case of each cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from harness.domain.xml import disk_target, disks_of, parse_domain
from harness.guest.booted import BootedGuest, booted
from harness.hypervisor.host import Hypervisor
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import collect_cases
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.words import ClaimName, VerdictName

from .support.cases import case_with
from .support.implementations import SlotBeforeTheOthers

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
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""


class LateStick:
    """Starts guests to which one of two USB sticks comes late: the first, then the second, and so on.

    How sticks race that are there from the start depends on the host's load: this is the same race, decided.
    """

    def __init__(self) -> None:
        self.boots = 0

    def start_domain(self, hypervisor: Hypervisor, domain: libvirt.virDomain) -> None:
        del hypervisor
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.stick = usb_disks(domain.XMLDesc(0))[self.boots % 2]
        self.boots += 1
        domain.detachDeviceFlags(self.stick, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        domain.resume()

    @contextmanager
    def booted(self, hypervisor: Hypervisor, domain: libvirt.virDomain, **keys: Any) -> Iterator[BootedGuest]:
        with booted(hypervisor, domain, **keys) as guest:
            domain.attachDeviceFlags(self.stick, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            yield replace(guest, live_xml=domain.XMLDesc(0))


def usb_disks(live_xml: str) -> list[str]:
    return [
        etree.tostring(disk, encoding="unicode")
        for disk in disks_of(parse_domain(live_xml))
        if disk_target(disk)[1] == "usb"
    ]


def test_names_of_virtio_disks_are_blamed_on_rescue_without_further_boots(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "moved.yaml"
    path.write_text(MOVED)
    case = case_with(SlotBeforeTheOthers(), path, session)
    result = run_case(case, session)
    assert result.verdict is VerdictName.MOVED
    moved = {finding.device: finding for finding in result.findings if finding.claim is ClaimName.NAMES}
    assert {device: (finding.before, finding.after) for device, finding in moved.items()} == {
        "root": ("vda", "vdb"),
        "volume1": ("vdb", "vdc"),
    }
    assert all(finding.cause == "rescue" for finding in moved.values())
    assert {finding.claim for finding in result.findings} == {ClaimName.NAMES}
    assert not any(boot.control for boot in result.boots), "Linux has one name for a virtio disk in each of the domains"


def test_names_that_race_are_never_blamed_on_rescue(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sticks = LateStick()
    monkeypatch.setattr("harness.guest.booted.start_domain", sticks.start_domain)
    monkeypatch.setattr("harness.instance.preparation.booted", sticks.booted)
    path = tmp_path / "race.yaml"
    path.write_text(RACE)
    (case,) = collect_cases([path], Reference())
    result = run_case(case, session)
    assert result.verdict is VerdictName.STABLE, result.sentences()
    assert {finding.device for finding in result.findings} == {"volume1", "volume2"}
    assert all(finding.cause == "kernel-race" for finding in result.findings)
    assert all(finding.rate is not None and "boots" in finding.rate for finding in result.findings)
    assert sum(boot.control for boot in result.boots) == 1, "the first control boot shows it"
