"""The claim ``links``: every folder below /dev/disk, links that several disks want, and links that nobody can tell."""

from __future__ import annotations

import pytest

from harness.evidence.inventory import ComputedLinks, Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.claims import compare_rescued
from harness.verdict.not_told import not_told

from ..support.verdict_inventories import EXPECTED, NORMAL, RESCUED, changed, edited, keys, swapped

FOLDERS = ("by_path", "by_id", "by_uuid", "by_label", "by_partuuid", "by_partlabel")


def test_links_are_told_by_what_became_of_them() -> None:
    (vanished,) = compare_rescued(NORMAL, changed(RESCUED, "volume1", by_id=()), EXPECTED)
    assert vanished.message == "by-id: scsi-id-1 is gone"
    first, _ = compare_rescued(NORMAL, swapped(RESCUED, "volume1", "volume2", "by_id"), EXPECTED)
    assert first.message == "by-id: scsi-id-1 now points to volume2 (sdb); scsi-id-2 pointed to volume2 (sdb)"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lost_link_is_a_finding_in_every_folder(folder: str) -> None:
    normal = changed(NORMAL, "root", **{folder: ("a", "b")})
    rescued = changed(RESCUED, "root", **{folder: ("a",)})
    (finding,) = compare_rescued(normal, rescued, EXPECTED)
    assert (finding.claim, finding.device, finding.before, finding.after) == (ClaimName.LINKS, "root", "b", "none")
    assert finding.message == f"{folder.replace('_', '-')}: b is gone"


def with_udev(inventory: Inventory) -> Inventory:
    return edited(inventory, links_from="udev", udev_version=252)


def wanting(inventory: Inventory, owner: str, *wanted_by: str) -> Inventory:
    """Return the inventory with one link more, which ``owner`` has and several disks want."""
    made = with_udev(inventory)
    for disk in wanted_by:
        made = changed(made, disk, contested=("by-uuid/1a57",))
    for disk in {owner, *wanted_by} - {"rescue"}:
        made = changed(made, disk, by_uuid=("1a57",) if disk == owner else ())
    return made


@pytest.mark.parametrize("owner", ["root", "rescue"])
def test_a_link_that_the_rescue_disk_wants_beside_its_owner_is_lost_whoever_gets_it(owner: str) -> None:
    normal = changed(with_udev(NORMAL), "root", by_uuid=("1a57",))
    (finding,) = compare_rescued(normal, wanting(RESCUED, owner, "root", "rescue"), EXPECTED)
    assert (finding.device, finding.before, finding.after) == ("root", "1a57", "none")
    assert finding.message == "by-uuid: 1a57 is wanted by rescue, too, and either may get it"


def test_a_link_that_two_disks_want_in_both_states_may_go_to_either() -> None:
    normal = wanting(NORMAL, "volume1", "volume1", "volume2")
    assert compare_rescued(normal, wanting(RESCUED, "volume2", "volume1", "volume2"), EXPECTED) == ()
    assert compare_rescued(normal, wanting(RESCUED, "volume1"), EXPECTED) == ()


def test_a_link_that_two_disks_want_and_none_has_is_lost() -> None:
    normal = wanting(NORMAL, "volume1", "volume1", "volume2")
    gone = changed(changed(with_udev(RESCUED), "volume1", by_uuid=()), "volume2", by_uuid=())
    assert keys(compare_rescued(normal, gone, EXPECTED)) == {("links", "volume1", "1a57", "none")}


def test_a_link_that_only_the_rescue_makes_contested_is_lost_by_its_owner() -> None:
    normal = changed(changed(with_udev(NORMAL), "volume1", by_uuid=("1a57",)), "volume2", by_uuid=())
    found = compare_rescued(normal, wanting(RESCUED, "volume2", "volume1", "volume2"), EXPECTED)
    assert keys(found) == {("links", "volume1", "1a57", "none")}


def test_a_new_drive_in_a_disk_s_place_has_words_of_its_own_and_its_place_s_links() -> None:
    normal = changed(NORMAL, "config_drive", by_uuid=("2026-11-30",), by_path=("pci-ata-1",))
    new = changed(RESCUED, "config_drive", by_uuid=("2026-12-01",), by_path=("pci-ata-1",), marker=None)
    assert keys(compare_rescued(normal, new, EXPECTED)) == {("content", "config_drive", "config_drive", "no marker")}
    moved = changed(RESCUED, "config_drive", by_uuid=("2026-12-01",), by_path=("pci-ata-2",), marker=None)
    assert ("links", "config_drive", "pci-ata-1", "pci-ata-2") in keys(compare_rescued(normal, moved, EXPECTED))


def test_links_that_one_state_does_not_tell_are_not_compared_and_named() -> None:
    normal = changed(NORMAL, "volume1", by_id=None)
    assert compare_rescued(normal, RESCUED, EXPECTED) == ()
    assert compare_rescued(NORMAL, changed(RESCUED, "volume1", by_id=None), EXPECTED) == ()
    told = [each.what for each in not_told(normal, RESCUED, State.RESCUED, EXPECTED) if each.claim is ClaimName.LINKS]
    assert any(each.startswith("by-id of ") and "volume1" in each for each in told)
    assert not any(each.startswith("by-path") for each in told)


def test_udevs_of_different_versions_are_compared_by_the_links_that_both_make() -> None:
    links = ComputedLinks(by_path=("scsi-1",), by_id=("wwn-1",))
    normal = edited(changed(NORMAL, "volume1", computed_links=links), links_from="udev", udev_version=252)
    newer = changed(RESCUED, "volume1", computed_links=links, by_path=("scsi-1", "usbv2-1"), by_id=("wwn-1", "nvme-1"))
    assert compare_rescued(normal, edited(newer, links_from="udev", udev_version=257), EXPECTED) == ()
    moved = changed(newer, "volume1", computed_links=links.model_copy(update={"by_path": ("scsi-2",)}))
    (finding,) = compare_rescued(normal, edited(moved, links_from="udev", udev_version=257), EXPECTED)
    assert (finding.claim, finding.before, finding.after) == (ClaimName.LINKS, "scsi-1", "scsi-2")
