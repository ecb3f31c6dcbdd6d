"""The table of combinations is the code's, and no cell of it only claims to boot."""

from __future__ import annotations

import pytest

from harness.implementation.request import request_or_none
from harness.reading.cases import SHIPPED_SUITE
from harness.reading.loading import load_scenarios
from harness.scenario.models import Scenario
from harness.scenario.words import Firmware, Level, VerdictName
from harness.study.combinations import combinations, neighbours


def test_every_refusal_names_who_refuses() -> None:
    assert {cell.refusal.refused_by for cell in combinations() if cell.refusal} == {"libvirt", "QEMU", "OVMF"}


def test_every_cell_that_boots_is_booted_by_the_shipped_suite() -> None:
    booted: set[tuple[str, Firmware, str, str]] = set()
    for loaded in load_scenarios([SHIPPED_SUITE]):
        for point in loaded.points:
            instance = point.scenario.instance
            request = request_or_none(instance, point.scenario.rescue_image)
            of_reference = [entry for entry in point.scenario.expect if "implementation" not in entry.when]
            refused = any(entry.verdict is VerdictName.REFUSED for entry in of_reference)
            is_sure = point.scenario.deepest_level is Level.GUEST and not point.scenario.optional
            if request is not None and not refused and is_sure:
                machine = "q35" if instance.is_q35 else "pc"
                booted.add((machine, instance.firmware, str(request.bus), str(request.device)))
    claimed = {(cell.machine, cell.firmware, cell.bus, cell.device) for cell in combinations() if cell.refusal is None}
    assert claimed <= booted


def point_of(scenario: str, machine: str) -> Scenario:
    (loaded,) = load_scenarios([SHIPPED_SUITE / "stable" / f"{scenario}.yaml"])
    return next(point.scenario for point in loaded.points if point.scenario.instance.machine == machine)


@pytest.mark.parametrize(("machine", "booted"), [("pc", "ide-cdrom"), ("q35", "sata-cdrom")])
def test_default_cdrom_is_what_another_scenario_boots(machine: str, booted: str) -> None:
    """The reference makes the rescued domain of the instance and the request alone."""
    default, explicit = point_of("default-cdrom", machine), point_of(booted, machine)
    assert default.instance == explicit.instance
    request = request_or_none(default.instance, default.rescue_image)
    assert request is not None
    assert request == request_or_none(explicit.instance, explicit.rescue_image)


@pytest.mark.parametrize("usb_cdrom_is_disk", [True, False])
def test_only_a_virtio_rescue_disk_leaves_the_names_of_all_neighbours(usb_cdrom_is_disk: bool) -> None:
    cells = list(neighbours(usb_cdrom_is_disk=usb_cdrom_is_disk))
    refused = [cell for cell in cells if cell.refusal is not None]
    assert {cell.refusal.refused_by for cell in refused if cell.refusal} == {"Linux"}
    disks = {cell.bus for cell in cells if cell.device == "disk"} - {cell.bus for cell in refused}
    assert disks == {"virtio"}
    assert all(cell.beside[1] == "cdrom" or cell.bus == "usb" for cell in refused if cell.device == "cdrom")
