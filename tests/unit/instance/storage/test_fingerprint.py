"""Which disks a normal guest may have written to."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evidence.inventory import Partition
from harness.instance.storage.fingerprint import unwritten

from ...support.verdict_inventories import NORMAL, changed, edited

PART = Partition(name="vdb1", number=1, start_bytes=1 << 20, size_bytes=1 << 20)
DISKS = dict.fromkeys(("root", "ephemeral0", "volume1"), (b"digest",))


@pytest.mark.parametrize(
    ("disk", "traits", "swaps", "written"),
    [
        pytest.param("root", {"mounted_at": ("/medium",)}, (), set(), id="the medium, mounted read-only"),
        pytest.param("root", {"mounted_at": ("/", "/boot")}, (), {"root"}, id="a root file system"),
        pytest.param("ephemeral0", {"mounted_at": ("/mnt",)}, (), {"ephemeral0"}, id="a disk in use"),
        pytest.param("ephemeral0", {"partitions": (PART,)}, ("vdb1",), {"ephemeral0"}, id="swap on a partition"),
        pytest.param("ephemeral0", {}, ("vdb",), {"ephemeral0"}, id="swap on the disk"),
        pytest.param("ephemeral0", {}, ("vdba",), set(), id="swap on a disk whose name begins alike"),
        pytest.param("ephemeral0", {"held_by": ("dm-0",)}, (), {"ephemeral0"}, id="in use through device mapper"),
        pytest.param("ephemeral0", {}, ("vdz",), set(), id="swap elsewhere"),
    ],
)
def test_what_the_guest_uses_may_change(
    disk: str, traits: dict[str, Any], swaps: tuple[str, ...], written: set[str]
) -> None:
    normal = edited(changed(NORMAL, disk, **traits), active_swaps=swaps)
    assert DISKS.keys() - unwritten(DISKS, normal).keys() == written
