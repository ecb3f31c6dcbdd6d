"""Fan-out: which points there are, what they are called, and what is wrong with a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ScenarioError
from harness.implementation.reference.implementation import Reference
from harness.reading import matrix
from harness.reading.cases import cases_of
from harness.reading.loading import load_scenarios
from harness.reading.matrix import InvalidPoint, data_at, expand
from harness.scenario.models import Scenario
from harness.scenario.words import DiskBus, Firmware

if TYPE_CHECKING:
    from pathlib import Path

BASE = """\
name: usb-disk
summary: s
instance:
  disks:
    - {role: root}
    - {role: volume}
    - {role: volume, bus: usb}
rescue_image:
  properties: {hw_rescue_bus: usb}
matrix:
"""


def scenario(axes: dict[str, list[Any]], exclude: list[dict[str, Any]] | None = None) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "usb-disk",
            "summary": "s",
            "instance": {"disks": [{"role": "root"}, {"role": "volume"}, {"role": "volume", "bus": "usb"}]},
            "matrix": {"axes": axes, "exclude": exclude or []},
        }
    )


def problems_in(folder: Path, matrix: str) -> list[str]:
    path = folder / "a.yaml"
    path.write_text(BASE + matrix, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenarios([path])
    return caught.value.message.replace(f"{folder}/", "").splitlines()


def test_without_a_matrix_a_scenario_is_its_own_point() -> None:
    alone = Scenario.model_validate({"name": "a", "summary": "s", "instance": {"disks": [{"role": "root"}]}})
    (point,) = expand(alone).points
    assert (point.id, point.values, point.scenario) == ("a", {}, alone)


def test_every_combination_is_a_point_with_its_values_in_place() -> None:
    points = expand(scenario({"instance.machine": ["pc", "q35"], "instance.firmware": ["bios", "uefi"]})).points
    assert [point.id for point in points] == [
        "usb-disk[pc-bios]",
        "usb-disk[pc-uefi]",
        "usb-disk[q35-bios]",
        "usb-disk[q35-uefi]",
    ]
    last = points[-1]
    assert last.values == {"instance.machine": "q35", "instance.firmware": "uefi"}
    assert (last.scenario.instance.machine, last.scenario.instance.firmware) == ("q35", Firmware.UEFI)
    assert all(point.scenario.matrix is None for point in points)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        pytest.param(["pc", None], ["pc", "none"], id="null-reads-none"),
        pytest.param(["16 MiB", 4096], ["16_MiB", "4096"], id="no-spaces"),
        pytest.param([{"hw_rescue_bus": "usb", "hw_rescue_device": "cdrom"}, {}], ["usb+cdrom", "empty"], id="mapping"),
        pytest.param(["a b", "a/b"], ["a_b", "a_b-2"], id="still-unique"),
    ],
)
def test_labels_of_values(values: list[Any], labels: list[str]) -> None:
    key = "rescue_image.properties" if isinstance(values[0], dict) else "rescue_image.properties.hw_rescue_bus"
    expected = [f"usb-disk[{label}]" for label in labels]
    if values == ["16 MiB", 4096]:
        key = "instance.disks.1.size"
    assert [point.id for point in expand(scenario({key: values})).points] == expected


def test_null_removes_a_key() -> None:
    bus = "instance.disks.2.bus"
    with_bus, without = expand(scenario({bus: ["scsi", None]})).points
    assert [getattr(point.scenario.instance.disks[2], "bus", "") for point in (with_bus, without)] == [
        DiskBus.SCSI,
        None,
    ]


def test_null_removes_disks_and_other_axes_still_meet_theirs() -> None:
    axes: dict[str, list[Any]] = {"instance.disks.1": [None], "instance.disks.2.bus": ["scsi"]}
    (point,) = expand(scenario(axes)).points
    assert [getattr(disk, "bus", None) for disk in point.scenario.instance.disks] == [None, DiskBus.SCSI]


def test_key_that_was_not_written_is_made() -> None:
    (point,) = expand(scenario({"rescue_image.properties.hw_rescue_bus": ["usb"]})).points
    assert point.scenario.rescue_image.properties.hw_rescue_bus == "usb"


def test_exclusions_keep_their_reason() -> None:
    expansion = expand(
        scenario(
            {"instance.machine": ["pc", "q35"], "rescue_image.properties.hw_rescue_bus": ["ide", "usb"]},
            [
                {
                    "when": {"instance.machine": "q35", "rescue_image.properties.hw_rescue_bus": "ide"},
                    "reason": "q35 has no IDE",
                }
            ],
        )
    )
    assert [point.id for point in expansion.points] == ["usb-disk[pc-ide]", "usb-disk[pc-usb]", "usb-disk[q35-usb]"]
    (excluded,) = expansion.excluded
    assert (excluded.id, excluded.reason) == ("usb-disk[q35-ide]", "q35 has no IDE")


def test_loaded_scenario_has_its_points(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(BASE + "  axes: {instance.machine: [pc, q35]}\n", encoding="utf-8")
    (loaded,) = load_scenarios([path])
    assert [point.id for point in loaded.points] == ["usb-disk[pc]", "usb-disk[q35]"]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param(
            "  axes:\n    machine: [pc]\n",
            'a.yaml:12: matrix.axes.machine: "machine" is no key of this scenario; allowed: instance, steps, '
            'rescue_image, and the keys below them; did you mean "instance.machine"?',
            id="key-without-its-branch",
        ),
        pytest.param(
            "  axes:\n    instance.disks.1.buss: [usb]\n",
            "no key of this scenario; allowed: instance.disks.1.role, instance.disks.1.name, instance.disks.1.size, "
            "instance.disks.1.bus, instance.disks.1.device, instance.disks.1.serial, instance.disks.1.device_name, "
            "instance.disks.1.backend, instance.disks.1.encryption; "
            'did you mean "instance.disks.1.bus"?',
            id="misspelt-key-of-a-disk",
        ),
        pytest.param(
            "  axes:\n    instance.disks.7.bus: [usb]\n", '"instance.disks.7.bus" is no key', id="no-such-disk"
        ),
        pytest.param("  axes:\n    name: [a]\n", '"name" is no key of this scenario', id="name-is-no-axis"),
        pytest.param("  axes:\n    instance.machine: []\n", "an axis without values", id="no-values"),
        pytest.param("  axes: {}\n", "a.yaml:11: matrix.axes: found a mapping without entries", id="no-axes"),
        pytest.param(
            "  axes:\n    instance.machine: [pc, pc]\n", 'axes.instance.machine.1: "pc" is in this axis', id="twice"
        ),
        pytest.param(
            "  axes:\n    rescue_image.properties: [{}]\n    rescue_image.properties.hw_rescue_bus: [usb]\n",
            'the axis "rescue_image.properties" sets this too',
            id="axis-in-axis",
        ),
        pytest.param(
            "  axes:\n    instance.machine:\n      - pc\n      - q53\n    instance.firmware: [bios, uefi]\n",
            'a.yaml:14: matrix.axes.instance.machine.1: found "q53"; allowed: pc, q35',
            id="invalid-value-told-once-in-its-own-line",
        ),
        pytest.param(
            "  axes:\n    instance.disks.1.bus: [ide, usb]\n    instance.machine: [pc, q35]\n",
            'matrix.axes.instance.disks.1.bus.0: found "ide" for the disk volume1, but q35 has no IDE controller, '
            "with instance.machine=q35",
            id="values-that-do-not-go-together",
        ),
        pytest.param(
            "  axes:\n    instance.properties.hw_disk_bus: [virtio, ide]\n    instance.machine: [q35]\n",
            'hw_disk_bus.1: found "ide" for the disks root, volume1, but q35 has no IDE controller; allowed',
            id="value-that-never-goes",
        ),
        pytest.param(
            "  axes:\n    rescue_image.properties: [{hw_rescue_bus: usb}, {hw_rescue_buss: usb}]\n",
            'matrix.axes.rescue_image.properties.1: hw_rescue_buss: unknown key "hw_rescue_buss"',
            id="unknown-key-inside-a-value",
        ),
        pytest.param(
            "  axes:\n    instance.machine: [pc, q35]\n  exclude:\n    - {when: {machine: pc}, reason: r}\n",
            'a.yaml:14: matrix.exclude.0.when.machine: "machine" is no axis of this matrix; allowed: instance.machine; '
            'did you mean "instance.machine"?',
            id="exclusion-of-no-axis",
        ),
        pytest.param(
            "  axes:\n    instance.machine: [pc, q35]\n  exclude:\n    - {when: {instance.machine: q3}, reason: r}\n",
            '"q3" is no value of this axis, so this excludes nothing; allowed: pc, q35; did you mean "q35"?',
            id="exclusion-that-matches-nothing",
        ),
        pytest.param(
            "  axes:\n    instance.machine: [pc]\n  exclude:\n    - {when: {instance.machine: pc}, reason: r}\n",
            "a.yaml:13: matrix.exclude: every combination is excluded",
            id="everything-excluded",
        ),
        pytest.param(
            "  axes:\n    instance.machine: [pc, q35]\n  exclude:\n    - {when: {instance.machine: pc}}\n",
            'a.yaml:14: matrix.exclude.0: the key "reason" is missing',
            id="exclusion-without-reason",
        ),
        pytest.param(
            "  axes:\n    instance.memory: [" + ", ".join(str(4096 * n) for n in range(1, 1002)) + "]\n",
            "a.yaml:11: matrix.axes: 1,001 combinations; allowed: at most 1,000",
            id="too-many",
        ),
    ],
)
def test_problem_of_a_matrix(tmp_path: Path, matrix: str, expected: str) -> None:
    (line,) = problems_in(tmp_path, matrix)
    assert expected in line


def test_problem_behind_a_removed_disk_has_the_number_of_the_file(tmp_path: Path) -> None:
    axes = "  axes:\n    instance.disks.1: [null]\n    instance.disks.2.bus: [ide]\n    instance.machine: [q35]\n"
    (line,) = problems_in(tmp_path, axes)
    assert line.startswith("a.yaml:13: matrix.axes.instance.disks.2.bus.0: ")


def test_combination_that_makes_no_scenario_is_no_point_and_keeps_its_place() -> None:
    expansion = expand(scenario({"instance.machine": ["pc", "q53", "q35"]}))
    first, invalid, last = expansion.combinations
    assert isinstance(invalid, InvalidPoint)
    assert (invalid.id, invalid.data["instance"]["machine"]) == ("usb-disk[q53]", "q53")
    assert expansion.points == (first, last)


def test_points_are_built_once_for_checks_and_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []

    def counted(data: Any, values: Any) -> dict[str, Any]:
        built.append(values)
        return data_at(data, values)

    monkeypatch.setattr(matrix, "data_at", counted)
    path = tmp_path / "a.yaml"
    path.write_text(BASE + "  axes: {instance.machine: [pc, q35]}\n", encoding="utf-8")
    (loaded,) = load_scenarios([path])
    cases = cases_of(loaded, Reference())
    assert built == [{"instance.machine": "pc"}, {"instance.machine": "q35"}]
    assert all(case.point is point for case, point in zip(cases, loaded.points, strict=True))
