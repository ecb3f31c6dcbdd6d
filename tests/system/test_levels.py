"""Levels plan and machine, from the command line and from pytest, on the real libvirt and QEMU."""

from __future__ import annotations

import csv
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from harness.errors import Refused
from harness.implementation.protocol import RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.level.planner import open_planner
from harness.reading.loading import load_scenarios
from harness.scenario.rescue_image import RescueImage
from harness.study.explore.exploration import Exploration, explore_plans
from harness.study.sweep import SHIPPED_SWEEP, Sweep

from .conftest import CommandLine

SLOT = """\
name: slot
summary: A SCSI rescue disk on q35, whose controller is new
instance:
  machine: q35
  disks: [{role: root}, {role: volume}]
rescue_image:
  properties: {hw_rescue_bus: scsi}
"""
AT_GUEST = SLOT.replace("name: slot", "name: deep\nlevel: machine")
WRONG = SLOT.replace("name: slot", "name: wrong") + "expect: {verdict: refused, reason: x}"
SWEPT = """\
name: swept
summary: Two machines, and buses that do not all exist
instance:
  disks: [{role: root}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
sweep:
  axes:
    instance.machine: [pc, q35]
    instance.properties.hw_disk_bus: [virtio, ide]
    rescue_image.properties.hw_rescue_bus: [virtio, ide, null]
expect: stable
"""


def results(folder: Path) -> list[dict[str, object]]:
    (run,) = folder.glob("2*/run.json")
    cases: list[dict[str, object]] = json.loads(run.read_text())["results"]
    return cases


def test_plan_needs_neither_images_nor_an_accelerator(command_line: CommandLine, tmp_path: Path) -> None:
    (command_line.cache / "images").unlink()
    (command_line.cache / "accelerator.json").unlink(missing_ok=True)
    (tmp_path / "slot.yaml").write_text(SLOT)
    ran = command_line.run("run", "slot.yaml", "--level", "plan", "--results", "out")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "not checked at level plan" in ran.stdout
    (result,) = results(tmp_path / "out")
    assert (result["level"], result["verdict"], result["boots"]) == ("plan", "stable", [])
    claims = {entry["claim"]: entry["status"] for entry in result["claims"]}  # type: ignore[attr-defined]
    assert claims["data"] == claims["links"] == "not-checked"
    assert claims["all-present"] == "held"
    assert not (command_line.cache / "images").exists()


def test_machine_asks_qemu_and_leaves_nothing_running(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "slot.yaml").write_text(SLOT)
    ran = command_line.run("run", "slot.yaml", "--level", "machine", "--results", "out")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (result,) = results(tmp_path / "out")
    assert (result["level"], result["verdict"], result["boots"]) == ("machine", "stable", [])
    inventory = json.loads(next((tmp_path / "out").glob("2*/slot/rescued/inventory.json")).read_text())
    assert inventory["level"] == "machine"
    assert all(device["size_bytes"] for device in inventory["block_devices"])
    assert command_line.guests() == []
    assert command_line.work_folders() == []


def test_a_scenario_runs_at_the_level_it_asks_for(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "deep.yaml").write_text(AT_GUEST)
    ran = command_line.run("run", "deep.yaml", "--level", "plan", "--results", "out")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (result,) = results(tmp_path / "out")
    assert result["level"] == "machine"


def test_pytest_takes_the_level(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("scenarios")
    (folder / "slot.yaml").write_text(SLOT)
    (folder / "wrong.yaml").write_text(
        SLOT.replace("name: slot", "name: wrong") + "expect: {verdict: refused, reason: x}"
    )
    ran = pytester.runpytest_subprocess("scenarios", "--rescue-level", "plan", "--junitxml", "junit.xml")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*again:*--rescue-level plan*"])
    report = (pytester.path / "junit.xml").read_text()
    assert 'name="level" value="plan"' in report
    assert 'name="not_checked" value="links data"' in report


def test_sweep_plans_every_combination(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "swept.yaml").write_text(SWEPT)
    ran = command_line.run("sweep", "swept.yaml", "--results", "out")
    (file,) = (tmp_path / "out").glob("2*/swept.csv")
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    outcomes = {
        (
            row["instance.machine"],
            row["instance.properties.hw_disk_bus"],
            row["rescue_image.properties.hw_rescue_bus"],
        ): row["outcome"]
        for row in rows
    }
    assert len(rows) == 12
    assert outcomes["pc", "virtio", "ide"] == outcomes["q35", "virtio", "virtio"] == "stable"
    assert outcomes["q35", "virtio", "ide"] == "refused"
    assert outcomes["q35", "ide", "virtio"] == "impossible"
    assert {(row["outcome"], row["guest"]) for row in rows if row["guest"]} == {("refused", "running")}
    assert outcomes["pc", "virtio", "none"] == "moved"
    assert ran.returncode == 1, "legacy rescue moves disks, and the file expects none to move"
    assert "not as expected" in ran.stdout
    assert (file.with_suffix(".html")).read_text().startswith("<!DOCTYPE html>")


class _RefusesAll(Reference):
    """Refuses each rescue, in words of the reference's own."""

    name = "refuses-all"

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        raise Refused("a rescue disk would take the kernel name of an instance's disk", refused_by="Linux")


@dataclass(frozen=True)
class _Studied:
    """What a sweep's first cells and an exploration come to."""

    outcomes: set[str]
    are_good: set[bool]
    details_of_bad_ones: set[str]
    failures: list[tuple[str, ...]]


def _study_of_refusals() -> _Studied:
    """Study the refuser of all, in a process without libvirt so far: a process has an embedded driver only once."""
    (loaded,) = load_scenarios([SHIPPED_SWEEP])
    with open_planner() as planner:
        cells = list(islice(Sweep.of(loaded.scenario).cells(planner, _RefusesAll()), 200))
        exploration = Exploration(seed=1)
        list(explore_plans(exploration, planner, _RefusesAll(), ends=0))
    planned = [cell for cell in cells if cell.is_planned]
    return _Studied(
        {str(cell.outcome) for cell in planned},
        {cell.is_good for cell in planned},
        {cell.detail for cell in planned if not cell.is_good},
        [tuple(failure.sentences) for failure in exploration.failures],
    )


def test_an_implementation_that_refuses_all_passes_no_study() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        studied = process.submit(_study_of_refusals).result()
    assert studied.outcomes == {"refused"}
    assert studied.are_good == {True, False}
    assert all("call for it" in detail for detail in studied.details_of_bad_ones)
    ((first, *_),) = studied.failures
    assert first.startswith("unexpected: refused by Linux")


def test_the_shipped_sweep_is_large_and_as_expected(command_line: CommandLine, tmp_path: Path) -> None:
    ran = command_line.run("sweep", "--results", "out", timeout_s=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (file,) = (tmp_path / "out").glob("2*/whole-space.csv")
    with file.open() as lines:
        planned = sum(row["outcome"] in ("stable", "moved", "refused") for row in csv.DictReader(lines))
    assert planned >= 10_000
