"""Links of what is on a disk: those that udev made and wants, and those that blkid's words would make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.evidence.guest.collection import collection_script, parse_inventory
from harness.evidence.guest.content_links import content_links
from harness.evidence.inventory import BlockDevice

SAMPLES = Path(__file__).parents[3] / "samples"
DISK = [
    "DEVNAME=/dev/vda1",
    "UUID=1A57-A4CE",
    r"LABEL=a\ b/\"c",
    "TYPE=vfat",
    "USAGE=filesystem",
    "PART_ENTRY_SCHEME=dos",
    "PART_ENTRY_NAME=not of dos",
    "PART_ENTRY_UUID=1a57a4ce-01",
    "PART_ENTRY_DISK=254:0",
]
TABLE = ["DEVNAME=/dev/vdb", "PTUUID=5e5c", "PTTYPE=gpt"]
MEMBER = ["DEVNAME=/dev/vdb1", "UUID=lvm", "TYPE=LVM2_member", "USAGE=raid"]
NAMED = ["PART_ENTRY_SCHEME=gpt", "PART_ENTRY_NAME=EFI\\ System", "PART_ENTRY_UUID=0b1e"]


def with_contents(*lines: str, probed: bool = True) -> str:
    raw = (SAMPLES / "evidence-pc.txt").read_text()
    end = ["", "probed"] if probed else []
    return raw.replace("%% binary\n", "\n".join(["%% contents", *lines, *end, "%% binary", ""]))


def device(raw: str, name: str) -> BlockDevice:
    found = parse_inventory(raw).block_device(name)
    assert found is not None
    return found


def test_words_become_the_links_that_udev_makes() -> None:
    assert content_links([*DISK, *TABLE, *MEMBER, *NAMED]) == {
        "vda1": ("by-uuid/1A57-A4CE", "by-label/a\\x20b\\x2f\\x22c", "by-partuuid/1a57a4ce-01"),
        "vdb": (),
        "vdb1": ("by-partuuid/0b1e", "by-partlabel/EFI\\x20System"),
    }


def test_a_guest_without_udev_has_the_links_of_its_contents() -> None:
    root = device(with_contents(*DISK), "vda")
    assert (root.by_uuid, root.by_partuuid, root.by_partlabel) == (("1A57-A4CE",), ("1a57a4ce-01",), ())
    assert device(with_contents(*DISK), "vdb").by_uuid == ()


def test_without_udev_nobody_has_a_link_that_two_disks_want() -> None:
    other = [line.replace("vda1", "vdc1").replace("1a57a4ce", "2b68") for line in DISK]
    raw = with_contents(*DISK, *other)
    for name in ("vda", "vdc"):
        assert device(raw, name).by_uuid == ()
        assert set(device(raw, name).contested) == {"by-uuid/1A57-A4CE", "by-label/a\\x20b\\x2f\\x22c"}
    assert device(raw, "vda").by_partuuid == ("1a57a4ce-01",)


def test_a_guest_that_cannot_probe_does_not_tell_of_its_contents() -> None:
    for raw in ((SAMPLES / "evidence-pc.txt").read_text(), with_contents(probed=False)):
        root = device(raw, "vda")
        assert (root.by_uuid, root.by_label, root.by_partuuid, root.by_partlabel) == (None, None, None, None)
        assert root.by_path


@pytest.mark.parametrize("answer", [0, 127])
def test_every_device_is_probed_though_one_before_it_has_nothing(tmp_path: Path, answer: int) -> None:
    """The shell function, with a blkid that finds nothing on the second of three disks, or that is not there."""
    for name in ("vda", "vda/vda1", "vdb", "vdc", "fd0"):
        (tmp_path / "sys/block" / name).mkdir(parents=True)
    (tmp_path / "sys/block/vda/vda1/partition").write_text("1")
    blkid = tmp_path / "blkid"
    blkid.write_text('#!/bin/sh\ncase $4 in */vdb) exit 2 ;; esac\necho "DEVNAME=$4"\n')
    blkid.chmod(0o755)
    functions = collection_script().partition("tails() {")
    contents = "contents() {" + functions[2].partition("contents() {")[2].partition("endorsement_keys() {")[0]
    contents = contents.replace("/usr/sbin/blkid", str(blkid) if answer == 0 else str(tmp_path / "none"))
    contents = contents.replace(" /sbin/blkid", f" {tmp_path}/none" if answer else "")
    blocks = " ".join(f"{tmp_path}/sys/block/{name}" for name in ("vda", "vdb", "vdc", "fd0"))
    script = f"command() {{ return 1; }}\n{contents}readable='{blocks}'\ncontents"
    done = subprocess.run(["sh", "-c", script], check=False, capture_output=True, text=True)
    lines = done.stdout.split()
    wanted = ["DEVNAME=/dev/vda", "DEVNAME=/dev/vda1", "DEVNAME=/dev/vdc", "probed"]
    assert lines == (wanted if answer == 0 else [])


def test_a_guest_with_udev_tells_which_disks_want_a_link_whoever_has_it() -> None:
    raw = (SAMPLES / "evidence-pc-udev.txt").read_text()
    names = [name for name in ("vda", "vdb") if parse_inventory(raw).block_device(name)]
    numbers = [f"/sys/block/{name}/dev:254:{16 * index}" for index, name in enumerate(names)]
    links = [
        "lrwxrwxrwx 1 root root 9 Jan 1 00:00 /dev/disk/by-uuid/1a57 -> ../../vdb",
        *(f"/run/udev/data/b254:{16 * index}:S:disk/by-uuid/1a57" for index in range(len(names))),
        "/run/udev/data/b254:0:S:disk/by-diskseq/1",
    ]
    raw = raw.replace("%% links\n", "\n".join([*numbers, "%% links", *links, ""]))
    found = {name: device(raw, name) for name in names}
    assert {name: each.by_uuid for name, each in found.items()} == {"vda": (), "vdb": ("1a57",)}
    assert {each.contested for each in found.values()} == {("by-uuid/1a57",)}
