"""Image files of users: what is taken, what is refused, and that nothing of theirs lies where the marker goes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.errors import HostError, ScenarioError
from harness.evidence.marker import data_offset
from harness.image.content import ImageContent
from harness.image.user_file import disk_bytes, inspected
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import collect_cases
from harness.scenario.words import Level

MIB = 1024 * 1024


def make(path: Path, form: str, *options: str, size: str = "8M") -> Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", form, *options, str(path), size], check=True)
    return path


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_raw_and_qcow2_are_taken_by_their_content_whatever_their_name(tmp_path: Path, form: str) -> None:
    path = make(tmp_path / "image.bin", form)
    assert inspected(path) == ImageContent(path, form, disk_bytes(8 * MIB))  # type: ignore[arg-type]


@pytest.mark.parametrize("image_bytes", [512, 8 * MIB, 8 * MIB + 512, 3 * 1024 * MIB - 1024])
def test_marker_and_data_blocks_lie_behind_the_image_and_growpart_finds_no_room(image_bytes: int) -> None:
    longer = disk_bytes(image_bytes)
    assert data_offset(longer) >= image_bytes
    assert longer - image_bytes < MIB


def test_other_formats_are_refused_with_the_way_to_convert_them(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="is a vmdk image, not raw or qcow2") as caught:
        inspected(make(tmp_path / "image.vmdk", "vmdk"))
    assert caught.value.hint is not None
    assert "qemu-img convert" in caught.value.hint


def test_an_image_that_reaches_for_another_file_is_refused(tmp_path: Path) -> None:
    base = make(tmp_path / "secret", "raw")
    overlay = make(tmp_path / "overlay.qcow2", "qcow2", "-F", "raw", "-b", str(base))
    split = make(tmp_path / "split.qcow2", "qcow2", "-o", f"data_file={tmp_path}/content.raw,data_file_raw=on")
    for path, other in ((overlay, "secret"), (split, "content.raw")):
        with pytest.raises(HostError, match=f"takes content from another file, .*{other}"):
            inspected(path)


def scenario(folder: Path, image: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(
        f"name: own\nsummary: An image of the user's\ninstance:\n  image: {image}\n  disks: [{{role: root}}]\n"
    )
    return path


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        pytest.param("{file: none.qcow2, ssh: key, key: id}", "none.qcow2 cannot be read: No such file", id="no image"),
        pytest.param("{file: none.qcow2, ssh: cloud-init}", "none.qcow2 cannot be read", id="no image for cloud-init"),
        pytest.param("{file: none, ssh: key, key: neither}", "none cannot be read.*\n.*neither cannot be", id="two"),
        pytest.param("{file: empty, ssh: cloud-init}", "empty is empty", id="empty"),
        pytest.param("{file: /dev/null, ssh: cloud-init}", "/dev/null is no file", id="device of the host"),
        pytest.param("{file: pipe, ssh: cloud-init}", "pipe is no file", id="pipe"),
        pytest.param('{file: "a\\0b", ssh: cloud-init}', "cannot be read: .*embedded null", id="null byte"),
        pytest.param("{file: good.qcow2, ssh: key, key: none}", "none cannot be read", id="no key"),
        pytest.param("{file: good.qcow2, ssh: key, key: good.qcow2}", "is no private key", id="key is none"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_starts(tmp_path: Path, image: str, reason: str) -> None:
    make(tmp_path / "good.qcow2", "qcow2")
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    path = scenario(tmp_path, image)
    with pytest.raises(ScenarioError, match=reason):
        collect_cases([path], Reference())
    assert collect_cases([path], Reference(), level=Level.PLAN)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "mine.raw", "raw")
    path.chmod(0)
    with pytest.raises(HostError, match="cannot be read: Permission denied"):
        inspected(path)
