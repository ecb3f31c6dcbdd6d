"""After unrescue all is as it was, but for the data written on purpose."""

from __future__ import annotations

import pytest

from harness.evidence.inventory import Inventory
from harness.verdict.claims import compare_unrescued
from harness.verdict.expected import ByteRange, HostEvidence

from ..support.verdict_inventories import (
    EHCI,
    EXPECTED,
    NORMAL,
    RESCUED,
    UNRESCUED,
    Key,
    changed,
    edited,
    function,
    holding,
    keys,
    pci,
    plus,
    stick,
    swapped,
)

WRITTEN = EXPECTED.model_copy(update={"written": {"volume1": "data-1", "volume2": "data-2"}})
KEPT = holding(holding(UNRESCUED, "volume1", "data-1"), "volume2", "data-2")
AFTER: dict[str, tuple[Inventory, HostEvidence, set[Key]]] = {
    "all restored": (KEPT, HostEvidence(domain_xml_equal=True, nvram_equal=True), set()),
    "the rescue disk kept": (
        plus(KEPT, stick()),
        HostEvidence(),
        {("restored", "rescue", "missing", "present")},
    ),
    "the rescue disk's controller kept": (
        pci(plus(KEPT, stick()), "", function(EHCI, "8086:293a", "0c0320")),
        HostEvidence(),
        {("restored", "rescue", "missing", "present"), ("restored", EHCI, "missing", "present")},
    ),
    "a name changed": (changed(KEPT, "volume1", name="sdz"), HostEvidence(), {("restored", "volume1", "sda", "sdz")}),
    "booted from the rescue device": (
        edited(plus(KEPT, stick()), boot_medium="sdc"),
        HostEvidence(),
        {("booted-from-rescue", "root", "root", "rescue"), ("restored", "rescue", "missing", "present")},
    ),
    "booted from a volume": (
        edited(KEPT, boot_medium="sda"),
        HostEvidence(),
        {("booted-from-rescue", "root", "root", "volume1")},
    ),
    "a disk boots that did not": (
        edited(KEPT, boot_order=("sda",)),
        HostEvidence(),
        {("restored", "domain", "nothing", "volume1")},
    ),
    "still the rescued boot": (
        edited(KEPT, boot_id="rescued"),
        HostEvidence(),
        {("booted-from-rescue", "guest", "new boot", "same boot")},
    ),
    "another domain XML": (KEPT, HostEvidence(domain_xml_equal=False), {("restored", "domain", "saved", "different")}),
    "other UEFI variables": (KEPT, HostEvidence(nvram_equal=False), {("restored", "nvram", "saved", "different")}),
    "data lost": (
        changed(KEPT, "volume1", data_token=None),
        HostEvidence(),
        {("data", "volume1", "written", "no data")},
    ),
    "data on the wrong disks": (
        swapped(KEPT, "volume1", "volume2", "data_token"),
        HostEvidence(),
        {("data", "volume1", "written", "other data"), ("data", "volume2", "written", "other data")},
    ),
    "data on a disk that nobody wrote to": (
        holding(KEPT, "ephemeral0", "data-1"),
        HostEvidence(),
        {("data", "ephemeral0", "no data", "other data")},
    ),
    "bytes changed on the host": (
        KEPT,
        HostEvidence(changes={"root": (ByteRange(start_bytes=4096, end_bytes=8192),)}),
        {("data", "root", "unchanged", "bytes 4096-8191")},
    ),
}


@pytest.mark.parametrize(("unrescued", "host", "expected_keys"), AFTER.values(), ids=AFTER.keys())
def test_unrescue_restores_everything_but_what_was_written(
    unrescued: Inventory, host: HostEvidence, expected_keys: set[Key]
) -> None:
    assert keys(compare_unrescued(NORMAL, RESCUED, unrescued, WRITTEN, host)) == expected_keys


def test_strayed_data_are_told_with_the_disk_they_are_on() -> None:
    found = compare_unrescued(NORMAL, RESCUED, swapped(KEPT, "volume1", "volume2", "data_token"), WRITTEN)
    assert found[0].message == "the data written while rescued was not read back: it is on volume2"


def test_a_record_that_disagrees_with_what_was_done_is_found() -> None:
    agreeing = HostEvidence(recorded=("rescued", "active"))
    assert compare_unrescued(NORMAL, RESCUED, KEPT, WRITTEN, agreeing) == ()
    found = compare_unrescued(NORMAL, RESCUED, KEPT, WRITTEN, HostEvidence(recorded=("active", "active, powering-on")))
    assert keys(found) == {
        ("booted-from-rescue", "instance", "rescued", "active"),
        ("restored", "instance", "active", "active, powering-on"),
    }


def test_a_base_image_that_was_written_to_is_found() -> None:
    found = compare_unrescued(NORMAL, RESCUED, KEPT, WRITTEN, HostEvidence(base_images=("instance.raw",)))
    assert keys(found) == {("data", "base-image", "unchanged", "instance.raw changed")}


def test_files_that_come_and_go_with_the_rescue_are_found() -> None:
    host = HostEvidence(left_over=("disk.rescue",), lost=("disk.config",))
    assert keys(compare_unrescued(NORMAL, RESCUED, KEPT, WRITTEN, host)) == {
        ("restored", "folder", "no file", "disk.rescue"),
        ("restored", "folder", "disk.config", "no file"),
    }
