"""Steps before the rescue: what can be written, and what is told of those that cannot be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ScenarioError
from harness.reading.checks.instance_checks import check
from harness.reading.loading import load_scenarios
from harness.reading.matrix import expand
from harness.reading.validation import validate
from harness.scenario.models import Scenario
from harness.scenario.steps import step_label

ROOT = {"role": "root"}
VOLUME = {"role": "volume"}
USB = {"role": "volume", "bus": "usb"}
SCSI = {"role": "volume", "bus": "scsi"}
VIRTIO_SCSI = {"properties": {"hw_scsi_model": "virtio-scsi"}}


def data(steps: list[Any], disks: tuple[dict[str, Any], ...] = (VOLUME,), **instance: Any) -> dict[str, Any]:
    return {"name": "a", "summary": "s", "instance": {"disks": [ROOT, *disks], **instance}, "steps": steps}


def attach(**keys: Any) -> dict[str, Any]:
    return {"attach": {**VOLUME, **keys}}


@pytest.mark.parametrize(
    ("steps", "disks", "instance"),
    [
        pytest.param(["reboot", "rescue", "rescue"], (VOLUME,), {}, id="reboot-and-rescue"),
        pytest.param(
            [{"rescue": {"image": "instance", "properties": {"hw_rescue_bus": "usb"}}}, "rescue"],
            (VOLUME,),
            {},
            id="rescue-from-another-medium",
        ),
        pytest.param([{"detach": "volume1"}, attach()], (VOLUME,), {}, id="replaced"),
        pytest.param([attach(name="late"), {"detach": "late"}], (), {}, id="there-for-a-while"),
        pytest.param([{"attach": {"nic": "e1000"}}, {"detach": {"nic": 1}}], (), {}, id="attached-nic-by-number"),
        pytest.param([{"detach": {"nic": 1}}, {"detach": {"nic": 2}}], (), {"nics": ["virtio"] * 2}, id="numbers-stay"),
        pytest.param(
            [{"snapshot": "root"}, {"snapshot": "root"}, {"snapshot": "swap"}], ({"role": "swap"},), {}, id="snapshots"
        ),
        pytest.param([attach(bus="scsi")], (SCSI,), VIRTIO_SCSI, id="scsi"),
        pytest.param([attach(bus="usb")], (), {}, id="usb-beside-the-tablet"),
        pytest.param([attach()], (), {"machine": "q35"}, id="spare-root-port"),
        pytest.param([{"detach": "volume1"}, attach(), attach()], (VOLUME,), {"machine": "q35"}, id="freed-root-port"),
    ],
)
def test_steps_that_can_be_done(steps: list[Any], disks: tuple[dict[str, Any], ...], instance: dict[str, Any]) -> None:
    assert check(Scenario.model_validate(data(steps, disks, **instance))) == []


@pytest.mark.parametrize(
    ("steps", "instance", "expected"),
    [
        pytest.param(
            [{"detach": "volum1"}],
            {},
            'steps.0.detach: "volum1" is not attached at this step; allowed: volume1; did you mean "volume1"?',
            id="not-there",
        ),
        pytest.param(
            [{"detach": "volume1"}, {"detach": "volume1"}],
            {},
            'steps.1.detach: "volume1" is not attached',
            id="detached-twice",
        ),
        pytest.param([{"detach": "root"}], {}, 'steps.0.detach: "root" is no volume', id="root"),
        pytest.param(
            [{"detach": {"nic": 1}}], {}, "steps.0.detach.nic: there is no NIC 1 at this step", id="no-such-nic"
        ),
        pytest.param(
            [attach(name="volume1")], {}, 'steps.0.attach.name: "volume1" is also the name of disks.1', id="name-taken"
        ),
        pytest.param(
            [{"detach": "volume1"}, attach(name="volume1")], {}, "steps.1.attach.name", id="name-of-a-detached-one"
        ),
        pytest.param(
            [attach(serial="x"), attach(serial="x")],
            {},
            'steps.1.attach.serial: "x" is also the serial of steps.0.attach',
            id="serial-taken",
        ),
        pytest.param([attach(serial="x" * 21)], {}, "steps.0.attach.serial", id="serial-too-long"),
        pytest.param(
            [attach(bus="sata")], {}, 'steps.0.attach.bus: found "sata" for volume2, but a running', id="sata"
        ),
        pytest.param([attach(bus="scsi")], {}, "only virtio-scsi tells the guest", id="lsilogic"),
        pytest.param([attach(bus="scsi")], VIRTIO_SCSI, "no SCSI controller", id="no-controller"),
        pytest.param([attach(device="cdrom", bus="usb")], {}, "steps.0.attach.device", id="cdrom"),
        pytest.param(
            [{"snapshot": "rot"}],
            {},
            'steps.0.snapshot: found "rot", but it is no disk of this instance',
            id="unknown-disk",
        ),
        pytest.param([{"snapshot": "config_drive"}], {}, "a config drive has no snapshots", id="config-drive"),
        pytest.param([attach(backend="nbd"), {"snapshot": "volume2"}], {}, "where the server is", id="served"),
        pytest.param([attach(encryption="luks"), {"snapshot": "volume2"}], {}, "plain text", id="encrypted"),
        pytest.param([attach(bus="usb"), attach(bus="usb")], {}, "steps.1.attach: no USB port is free", id="usb-ports"),
        pytest.param(
            [attach(), attach()], {"machine": "q35"}, "steps.1.attach: no root port is free for it", id="root-ports"
        ),
        pytest.param(
            [{"attach": {"nic": "rtl8139"}}], {"machine": "q35"}, "conventional PCI slot", id="conventional-nic"
        ),
        pytest.param(
            [{"rescue": {"image": "debian", "properties": {"hw_rescue_device": "cdrom"}}}],
            {"memory": "1 GiB"},
            'steps.0.rescue.image: found "debian", which does not boot as a cdrom',
            id="medium-that-does-not-boot",
        ),
        pytest.param([attach()] * 27, {}, "steps.26.attach: no PCI slot is free for it", id="slots"),
    ],
)
def test_step_that_cannot_be_done(steps: list[Any], instance: dict[str, Any], expected: str) -> None:
    scenario = Scenario.model_validate(data(steps, (VOLUME, {"role": "config_drive"}), **instance))
    (problem,) = check(scenario)
    assert expected in str(problem)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(
            "rebot",
            'steps.0: found "rebot"; allowed: a step: reboot, rescue, attach, detach, snapshot; did you mean "reboot"?',
            id="word",
        ),
        pytest.param(
            {"atach": VOLUME},
            'steps.0: found "atach"; allowed: a step: reboot, rescue, attach, detach, snapshot; did you mean "attach"?',
            id="key",
        ),
        pytest.param({}, "steps.0: found a mapping; allowed: a step", id="empty"),
        pytest.param(7, "steps.0: found the number 7; allowed: a step", id="number"),
        pytest.param("attach", 'steps.0: found "attach"; allowed: a mapping', id="word-alone"),
        pytest.param({"attach": {"size": "1 MiB"}}, 'steps.0.attach: the key "role" is missing', id="no-role"),
        pytest.param(
            {"attach": {**VOLUME, "buss": "usb"}},
            'steps.0.attach.buss: unknown key "buss"; allowed: role, name, size, bus, ',
            id="volume-key",
        ),
        pytest.param(
            {"attach": {"nic": "e100"}},
            'steps.0.attach.nic: found "e100"; allowed: virtio, e1000, e1000e, rtl8139, vmxnet3; did you mean "e1000"?',
            id="model",
        ),
        pytest.param(
            {"attach": {"nic": "e1000", "mac": 1}}, 'steps.0.attach.mac: unknown key "mac"; allowed: nic', id="nic-key"
        ),
        pytest.param(
            {"detach": {"nic": 0}},
            "steps.0.detach.nic: found the number 0; allowed: a number from 1 on",
            id="first-nic",
        ),
        pytest.param(
            {"rescue": {"properties": {"hw_rescue_buss": "usb"}}},
            'steps.0.rescue.properties.hw_rescue_buss: unknown key "hw_rescue_buss"; allowed: hw_rescue_bus, ',
            id="property-of-a-medium",
        ),
        pytest.param(
            {"rescue": {"image": "minimol"}},
            'steps.0.rescue.image: found "minimol"; allowed: minimal, debian, instance, blank, data-iso; did you mean'
            ' "minimal"?',
            id="image-of-a-medium",
        ),
        pytest.param(
            {"rescue": {"image": {"file": "a.qcow2", "ssh": "kay"}}},
            'steps.0.rescue.image.ssh: found "kay"; allowed: key, cloud-init; did you mean "key"?',
            id="key-of-a-file",
        ),
        pytest.param(
            {"snapshot": "root", "detach": "volume1"},
            "in one step; allowed: one step in each entry of the list",
            id="two",
        ),
    ],
)
def test_words_for_what_is_no_step(step: Any, expected: str) -> None:
    (problem,) = validate(data([step])).problems
    assert expected in str(problem)


def test_problem_of_a_step_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "name: a\nsummary: s\ninstance:\n  disks: [{role: root}]\nsteps:\n  - reboot\n  - detach: volume1\n"
    )
    with pytest.raises(ScenarioError, match=r'a\.yaml:7: steps\.1\.detach: "volume1" is not attached at this step'):
        load_scenarios([path])


def test_other_problems_are_told_beside_a_misspelt_step() -> None:
    whole = data(["rebot"], ({"role": "volume", "bus": "ide"},), machine="q35")
    told = [str(problem) for problem in validate(whole).problems]
    assert [text.split(":")[0] for text in told] == ["steps.0", "instance.disks.1.bus"]


def test_matrix_over_steps() -> None:
    axes = {"steps": [[], ["reboot"], [{"detach": "volume1"}]], "instance.machine": ["pc", "q35"]}
    points = expand(Scenario.model_validate({**data([]), "matrix": {"axes": axes}})).points
    assert [point.id for point in points][::2] == ["a[empty-pc]", "a[reboot-pc]", "a[volume1-pc]"]
    assert [[step_label(step) for step in point.scenario.steps] for point in points][::2] == [
        [],
        ["reboot"],
        ["detach volume1"],
    ]


def test_matrix_over_one_step_and_its_keys() -> None:
    steps = [attach(name="late"), "reboot"]
    axes = {"steps.0.attach.bus": ["virtio", "usb"], "steps.1": ["reboot", None]}
    points = expand(Scenario.model_validate({**data(steps), "matrix": {"axes": axes}})).points
    assert [len(point.scenario.steps) for point in points] == [2, 1, 2, 1]


def test_problem_of_one_value_names_it() -> None:
    whole = {**data([]), "matrix": {"axes": {"steps": [[], ["reboot", {"snapshot": "swap"}]]}}}
    (problem,) = validate(whole).problems
    assert str(problem).startswith('matrix.axes.steps.1: 1.snapshot: found "swap", but it is no disk of this instance')


def test_a_rescued_instance_can_be_rebooted_and_nothing_else() -> None:
    assert validate({**data([]), "while_rescued": ["reboot", "reboot"]}).problems == ()
    (problem,) = validate({**data([]), "while_rescued": ["rescue"]}).problems
    assert str(problem) == 'while_rescued.0: found "rescue"; allowed: reboot'


def test_a_step_names_the_medium_that_it_rescues_from() -> None:
    steps: list[Any] = [{"rescue": {"properties": {"hw_rescue_bus": "usb"}}}, "rescue"]
    scenario = Scenario.model_validate(data(steps))
    assert [step_label(step) for step in scenario.steps] == ["rescue from another medium, hw_rescue_bus usb", "rescue"]
    assert [image.properties.hw_rescue_bus for image in scenario.rescue_images] == ["usb", None]
