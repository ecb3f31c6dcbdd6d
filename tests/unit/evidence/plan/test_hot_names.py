"""Names of disks that were attached to a running guest: the first free one, as far as that can be known."""

from __future__ import annotations

from harness.evidence.inventory import KernelNames
from harness.evidence.plan.hot_names import with_attached, with_detached

certain = KernelNames.certain
BOOTED = {"root": certain("vda"), "volume1": certain("vdb"), "volume2": certain("vdc"), "stick": certain("sda")}


def test_a_new_disk_takes_the_first_name_that_is_free() -> None:
    assert with_attached(BOOTED, "late", on_virtio=True)["late"] == certain("vdd")
    gap = with_detached(BOOTED, "volume1")
    assert with_attached(gap, "late", on_virtio=True) == {**gap, "late": certain("vdb")}
    assert with_attached(gap, "late", on_virtio=False)["late"] == certain("sdb")


def test_disks_that_stay_keep_their_names() -> None:
    assert with_detached(BOOTED, "root") == {disk: names for disk, names in BOOTED.items() if disk != "root"}


def test_beside_disks_of_uncertain_names_any_up_to_the_most_there_were_may_be_free() -> None:
    either = KernelNames.by_chance(("sda", "sdb"))
    racing = {"volume1": either, "volume2": either}
    assert with_attached(racing, "late", on_virtio=False)["late"].possible == ("sda", "sdb", "sdc")
    one_left = with_detached(racing, "volume1")
    assert with_attached(one_left, "late", on_virtio=False)["late"].possible == ("sda", "sdb")
