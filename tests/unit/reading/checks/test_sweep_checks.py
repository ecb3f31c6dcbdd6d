"""Free keys: what a scenario may name, and the rows and columns that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from harness.errors import HostError, ScenarioError
from harness.implementation.reference.implementation import Reference
from harness.level.planner import Planner
from harness.reading.loading import load_scenarios
from harness.scenario.models import Scenario
from harness.study.sweep import IMPOSSIBLE, Sweep

HEAD = """\
name: free
summary: Free keys
instance:
  disks: [{role: root}, {role: volume}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""
SWEEP = """\
sweep:
  axes:
    instance.machine: [pc, q35]
    rescue_image.properties.hw_rescue_bus: [virtio, usb, null]
    instance.disks.1.bus: [virtio, scsi]
"""
MATRIX = """\
matrix:
  axes:
    instance.machine: [pc-i440fx-7.2]
    instance.firmware: [bios, uefi]
"""


def loaded(path: Path, text: str) -> Scenario:
    path.write_text(text)
    return load_scenarios([path])[0].scenario


def test_instances_are_rows_and_rescue_images_columns(tmp_path: Path) -> None:
    sweep = Sweep.of(loaded(tmp_path / "free.yaml", HEAD + SWEEP))
    assert [row.label for row in sweep.rows] == ["pc-virtio", "pc-scsi", "q35-virtio", "q35-scsi"]
    assert [column.label for column in sweep.columns] == ["virtio", "usb", "none"]
    assert len(sweep) == 12


def test_free_keys_take_the_place_of_the_same_axes_of_the_matrix(tmp_path: Path) -> None:
    sweep = Sweep.of(loaded(tmp_path / "free.yaml", HEAD + MATRIX + SWEEP))
    assert {row.values["instance.machine"] for row in sweep.rows} == {"pc", "q35"}
    assert {row.values["instance.firmware"] for row in sweep.rows} == {"bios", "uefi"}


def test_a_run_leaves_free_keys_out(tmp_path: Path) -> None:
    path = tmp_path / "free.yaml"
    path.write_text(HEAD + SWEEP)
    (file,) = load_scenarios([path])
    assert [point.id for point in file.points] == ["free"]


def test_a_scenario_without_free_keys_has_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="free has no key 'sweep'"):
        Sweep.of(loaded(tmp_path / "free.yaml", HEAD))


WRONG = {
    "unknown key": ("instance.machin: [pc]", '"instance.machin" is no key of this scenario'),
    "misspelt value": ("instance.firmware: [bios, uefy]", 'sweep.axes.instance.firmware.1: found "uefy"'),
    "part of a value": (
        "instance.disks: [[{role: root}], [{role: rot}]]",
        "sweep.axes.instance.disks.1: 0.role",
    ),
}


@pytest.mark.parametrize(("axis", "problem"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_free_key_is_told_with_its_line(tmp_path: Path, axis: str, problem: str) -> None:
    path = tmp_path / "free.yaml"
    with pytest.raises(ScenarioError) as error:
        loaded(path, f"{HEAD}sweep:\n  axes:\n    {axis}\n")
    assert problem in error.value.message
    assert f"{path}:9:" in error.value.message


def test_values_that_do_not_go_together_are_no_problem_of_the_file(tmp_path: Path) -> None:
    axes = "sweep:\n  axes:\n    instance.machine: [pc, q35]\n    instance.disks.1.bus: [ide, virtio]\n"
    assert len(Sweep.of(loaded(tmp_path / "free.yaml", HEAD + axes))) == 4


IMAGES = """\
name: images
summary: An image that wants more memory, and boots as a disk only
instance:
  memory: 512 MiB
  disks: [{role: root}]
rescue_image:
  image: debian
  properties: {hw_rescue_bus: scsi, hw_rescue_device: disk}
sweep:
  axes:
    instance.memory: [256 MiB, 512 MiB]
    rescue_image.image: [minimal, debian]
    rescue_image.properties.hw_rescue_device: [disk, cdrom]
"""


class Unavailable:
    """A planner that says of each scenario that it was asked."""

    def plan_instance(self, *_arguments: object) -> None:
        raise HostError("asked")


def test_each_cell_is_checked_with_its_own_rescue_image(tmp_path: Path) -> None:
    sweep = Sweep.of(loaded(tmp_path / "images.yaml", IMAGES))
    seen = {
        f"{sweep.rows[cell.row].label}-{sweep.columns[cell.column].label}": (cell.outcome, cell.detail)
        for cell in sweep.cells(cast("Planner", Unavailable()), Reference())
    }
    impossible = {name: detail for name, (outcome, detail) in seen.items() if outcome == IMPOSSIBLE}
    assert len(seen) == 8
    assert set(impossible) == {"256_MiB-debian-disk", "256_MiB-debian-cdrom", "512_MiB-debian-cdrom"}
    assert "does not boot as a cdrom" in impossible["512_MiB-debian-cdrom"]
    assert {detail for outcome, detail in seen.values() if outcome != IMPOSSIBLE} == {"asked"}
