"""The keys ``image``: a word or a file, and what goes with the rest of the scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.reading.loading import load_scenarios
from harness.scenario.models import Scenario
from harness.scenario.words import MIB


def written(folder: Path, *lines: str) -> Path:
    path = folder / "images.yaml"
    path.write_text("\n".join(("name: images", "summary: Images", *lines)) + "\n")
    return path


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(
            ["instance: {image: debain, disks: [{role: root}]}"],
            'instance.image: found "debain"; allowed: minimal, debian, debian-on-volumes; did you mean "debian"',
            id="misspelt",
        ),
        pytest.param(
            ["instance: {image: instance, disks: [{role: root}]}"], 'found "instance"; allowed', id="rescue only"
        ),
        pytest.param(
            ["instance: {image: {file: a, ssh: key}, disks: [{role: root}]}"],
            'instance.image: the key "key" is missing',
            id="no key",
        ),
        pytest.param(
            ["instance: {image: {file: a, ssh: cloud-init, key: k}, disks: [{role: root}]}"],
            "instance.image.key: a key, where cloud-init puts the run's own in; allowed: none, or 'ssh: key'",
            id="a key beside cloud-init",
        ),
        pytest.param(
            ["instance: {disks: [{role: root}]}", "rescue_image: {image: {file: a, ssh: cloudinit}}"],
            'rescue_image.image.ssh: found "cloudinit"; allowed: key, cloud-init; did you mean "cloud-init"',
            id="misspelt way in",
        ),
        pytest.param(
            ["instance: {disks: [{role: root}]}", "rescue_image: {image: {file: a, ssh: key}}"],
            'rescue_image.image: the key "key" is missing',
            id="no key to the rescue image",
        ),
        pytest.param(
            ["instance: {image: {file: a, ssh: key, key: k, usr: x}, disks: [{role: root}]}"],
            'instance.image.usr: unknown key "usr"; allowed: file, user, ssh, key; did you mean "user"',
            id="unknown key",
        ),
        pytest.param(
            ["instance: {image: debian, direct_kernel: true, disks: [{role: root}]}"],
            "instance.direct_kernel: a kernel beside an image that has its own",
            id="two kernels",
        ),
        pytest.param(
            ["instance: {disks: [{role: root}]}", "rescue_image: {image: debian}"],
            "instance.memory: 256 MiB .* 512 MiB or more",
            id="too little memory for the rescue image",
        ),
        pytest.param(
            [
                "instance: {image: debian, disks: [{role: root}]}",
                "rescue_image: {image: instance, properties: {hw_rescue_device: cdrom}}",
            ],
            'rescue_image.image: found "instance", which does not boot as a cdrom',
            id="disk image as CD-ROM",
        ),
        pytest.param(
            ["instance: {image: debian, disks: [{role: root, device: cdrom}]}"],
            'instance.image: found "debian", which does not boot as a cdrom',
            id="disk image as ISO image",
        ),
        pytest.param(
            [
                "instance: {disks: [{role: root}, {role: config_drive}]}",
                "rescue_image: {image: {file: a, ssh: key, key: k}, properties: {hw_rescue_device: floppy}}",
            ],
            'rescue_image.image: found "a", which does not boot as a floppy',
            id="file as floppy",
        ),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        load_scenarios([written(tmp_path, *lines)])


def test_images_are_an_axis(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "instance: {memory: 1 GiB, disks: [{role: root}]}",
        "matrix: {axes: {instance.image: [minimal, debian, {file: a, ssh: key, key: k}],"
        " rescue_image.image: [debian, instance]}}",
        "expect: [{when: {instance.image: debian}, verdict: stable}, stable]",
    )
    (loaded,) = load_scenarios([path])
    assert [point.id for point in loaded.points][:3] == [
        "images[minimal-debian]",
        "images[minimal-instance]",
        "images[debian-debian]",
    ]


@pytest.mark.parametrize(
    ("instance", "mib"),
    [
        ({}, 256),
        ({"firmware": "uefi"}, 384),
        ({"image": "debian"}, 512),
        ({"image": "debian", "firmware": "uefi"}, 512),
        ({"image": {"file": "a", "ssh": "key", "key": "k"}}, 1024),
        ({"image": {"file": "a", "ssh": "cloud-init"}}, 1024),
        ({"image": "debian", "memory": "300 MiB"}, 300),
    ],
)
def test_memory_goes_by_the_image(instance: dict[str, object], mib: int) -> None:
    data = {"name": "x", "summary": "x", "instance": {"disks": [{"role": "root"}], **instance}}
    assert Scenario.model_validate(data).instance.memory_bytes == mib * MIB
