"""What lies over disks: a root file system on a volume, encrypted, on several paths, under an overlay, or by number."""

from __future__ import annotations

import pytest

from harness.evidence.guest.capture import Capture
from harness.evidence.guest.stack import Stack

DISKS = {"vda": "vda", "vda1": "vda", "vda2": "vda", "vdb": "vdb", "sda": "sda", "sdb": "sdb", "sr0": "sr0"}
NUMBERS = {"vda1": "254:1", "vda2": "254:2", "vdb": "254:16", "sr0": "11:0", "dm-0": "253:0", "dm-1": "253:1"}


def stack(*mounts: str, slaves: dict[str, str] | None = None, **files: str) -> Stack:
    """Return the stack of mountinfo lines, of the slaves of virtual devices, and of further files of sysfs."""
    lines: dict[str, tuple[str, ...]] = {"/proc/self/mountinfo": mounts}
    for name, number in NUMBERS.items():
        folder = f"vda/{name}" if name.startswith("vda") else name
        lines[f"/sys/block/{folder}/dev"] = (number,)
    lines |= {path: (text,) for path, text in files.items()}
    links = {
        f"/sys/block/{holder}/slaves/{slave}": f"/sys/devices/{slave}"
        for holder, each in (slaves or {}).items()
        for slave in each.split()
    }
    capture = Capture(settled=True, without_medium=frozenset(), lines=lines, links=links, blobs={})
    return Stack(capture, DISKS)


def mount(number: str, point: str, kind: str = "ext4", source: str = "none", options: str = "rw") -> str:
    return f"28 1 {number} / {point} rw,relatime shared:1 - {kind} {source} {options}"


ROOTS: dict[str, tuple[Stack, str]] = {
    "a partition": (stack(mount("254:2", "/", source="/dev/vda2")), "vda"),
    "/dev/root": (stack(mount("254:2", "/", source="/dev/root")), "vda"),
    "a logical volume": (stack(mount("253:0", "/", source="/dev/mapper/vg-root"), slaves={"dm-0": "vda2"}), "vda"),
    "a logical volume on an encrypted partition": (
        stack(mount("253:1", "/"), slaves={"dm-1": "dm-0", "dm-0": "vda2"}),
        "vda",
    ),
    "a logical volume over two disks, with boot files on the second": (
        stack(mount("253:0", "/"), mount("254:1", "/boot"), slaves={"dm-0": "vdb vda2"}),
        "vda",
    ),
    "a partition of a multipath device": (
        stack(mount("253:1", "/"), slaves={"dm-1": "dm-0", "dm-0": "sda sdb"}),
        "sda",
    ),
    "btrfs, whose number is no device's": (stack(mount("0:30", "/", "btrfs", "/dev/vda2")), "vda"),
    "btrfs on a logical volume": (
        stack(
            mount("0:30", "/", "btrfs", "/dev/mapper/vg-root"),
            slaves={"dm-0": "vda2"},
            **{"/sys/block/dm-0/dm/name": "vg-root"},
        ),
        "vda",
    ),
    "an overlay over a read-only file system": (
        stack(
            mount("254:2", "/run/lower"),
            mount("0:25", "/run/upper", "tmpfs", "tmpfs"),
            mount(
                "0:31", "/", "overlay", "overlay", "rw,lowerdir=/run/lower,upperdir=/run/upper/u,workdir=/run/upper/w"
            ),
        ),
        "vda",
    ),
    "a live system: an overlay over a file on a CD-ROM": (
        stack(
            mount("11:0", "/run/live/my\\040medium", "iso9660", "/dev/sr0"),
            mount("7:0", "/run/live/rootfs", "squashfs", "/dev/loop0"),
            mount("0:31", "/", "overlay", "overlay", "rw,lowerdir=/run/live/rootfs,upperdir=/run/live/rw"),
            **{"/sys/block/loop0/loop/backing_file": "/run/live/my medium/live/filesystem.squashfs"},
        ),
        "sr0",
    ),
}


@pytest.mark.parametrize(("found", "disk"), ROOTS.values(), ids=ROOTS.keys())
def test_a_root_file_system_is_followed_to_its_disk(found: Stack, disk: str) -> None:
    assert found.disk_mounted_at("/") == disk
    assert "/" in found.mounted_at[disk]


def test_a_root_file_system_on_no_disk_is_unknown() -> None:
    for found in (stack(mount("0:1", "/", "tmpfs", "tmpfs")), stack(mount("0:9", "/", "nfs", "host:/root")), stack()):
        assert found.disk_mounted_at("/") is None
        assert found.mounted_at == {}


def test_a_later_mount_hides_an_earlier_one() -> None:
    found = stack(mount("254:2", "/medium"), mount("254:16", "/medium"))
    assert found.disk_mounted_at("/medium") == "vdb"


def test_virtual_devices_hold_every_disk_below_them() -> None:
    found = stack(slaves={"dm-0": "vda2", "dm-1": "dm-0", "md0": "vdb sda"})
    assert found.held_by == {"vda": ("dm-0", "dm-1"), "vdb": ("md0",), "sda": ("md0",)}


def test_a_stack_that_mentions_itself_comes_to_an_end() -> None:
    found = stack(
        mount("0:31", "/", "overlay", "overlay", "lowerdir=/run/lower"),
        mount("0:32", "/run/lower", "overlay", "overlay", "lowerdir=/"),
        slaves={"dm-0": "dm-1", "dm-1": "dm-0"},
    )
    assert found.disk_mounted_at("/") is None
    assert found.held_by == {}
