"""Two implementations compared at mapping level, and the table of differences in docs/nova/differences.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.scenario.rescue_image import RescueImage

from ..unit.domain.test_disk_mapping import instance
from .agreement import (
    KERNEL,
    Aspect,
    Behaviour,
    DiskMap,
    DiskPlace,
    Reason,
    Refusal,
    differences,
    disk_map,
    reason_of,
)
from .deliberate import RULES, excused, rules_table

PAGE = Path(__file__).parents[2] / "docs" / "nova" / "differences.md"
DOMAIN = """
<domain><os>{os}</os><devices>
  <disk device='disk'><source file='/root'/><target dev='vda' bus='virtio'/></disk>
  <disk device='cdrom'><source file='/config'/><target dev='hda' bus='ide'/></disk>
  <disk device='disk'><source file='/volume'/><target dev='vdb' bus='virtio'/></disk>
  {rescue}
</devices></domain>"""
RESCUE = "<disk><source file='/rescue'/><target dev='sda' bus='usb'/><boot order='1'/></disk>"
NAMES = {"/root": "root", "/config": "config_drive", "/volume": "volume1", "/rescue": "rescue"}
NORMAL = disk_map(DOMAIN.format(os="<boot dev='hd'/>", rescue=""), NAMES)
RESCUED = disk_map(DOMAIN.format(os="", rescue=RESCUE), NAMES)
BOTH = Behaviour(NORMAL, RESCUED)


def changed(mapping: DiskMap, **places: DiskPlace) -> DiskMap:
    disks = {**mapping.disks, **places}
    order: dict[str, tuple[str, ...]] = {}
    for name, place in disks.items():
        order[place.bus] = (*order.get(place.bus, ()), name)
    return replace(mapping, disks=disks, order=order)


def test_a_domain_at_mapping_level() -> None:
    assert RESCUED.disks["volume1"] == DiskPlace("vdb", "virtio", "disk")
    assert RESCUED.order == {"virtio": ("root", "volume1"), "ide": ("config_drive",), "usb": ("rescue",)}
    assert (NORMAL.boots, RESCUED.boots) == (("root",), ("rescue",))
    assert disk_map(DOMAIN.format(os="<boot dev='cdrom'/>", rescue=""), NAMES).boots == ("config_drive",)
    assert disk_map(DOMAIN.format(os="<kernel>/k</kernel>", rescue=RESCUE), NAMES).boots == (KERNEL,)


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        pytest.param(BOTH, set(), id="alike"),
        pytest.param(Behaviour(None, None), {Aspect.INSTANCE}, id="instance-refused"),
        pytest.param(replace(BOTH, is_definable=False), {Aspect.FIRMWARE}, id="not-definable"),
        pytest.param(replace(BOTH, normal=replace(NORMAL, boots=("volume1",))), {Aspect.BOOT}, id="boots-another"),
        pytest.param(
            replace(BOTH, rescued=changed(RESCUED, rescue=DiskPlace("sda", "scsi", "disk"))),
            {Aspect.RESCUE_KIND},
            id="another-bus",
        ),
        pytest.param(
            replace(BOTH, rescued=changed(RESCUED, rescue=DiskPlace("sdb", "usb", "disk"))),
            {Aspect.RESCUE_TARGET},
            id="another-name",
        ),
        pytest.param(replace(BOTH, rescued=replace(RESCUED, boots=("root",))), {Aspect.RESCUE_BOOT}, id="old-root"),
        pytest.param(
            replace(BOTH, rescued=changed(RESCUED, volume1=DiskPlace("vdc", "virtio", "disk"))),
            {Aspect.KEPT},
            id="a-volume-moves",
        ),
        pytest.param(
            replace(BOTH, rescued=replace(RESCUED, order={**RESCUED.order, "virtio": ("volume1", "root")})),
            {Aspect.KEPT},
            id="another-order",
        ),
        pytest.param(
            replace(BOTH, rescued=Refusal(Reason.FULL, guest_is_off=True)),
            {Aspect.REFUSAL, Aspect.GUEST},
            id="refused-too-late",
        ),
        pytest.param(
            replace(BOTH, normal=changed(NORMAL, volume1=DiskPlace("vdc", "virtio", "cdrom"))),
            {Aspect.TARGETS, Aspect.KINDS, Aspect.KEPT},
            id="another-instance",
        ),
    ],
)
def test_differences(theirs: Behaviour, expected: set[Aspect]) -> None:
    assert differences(BOTH, theirs) == expected
    assert differences(theirs, BOTH) == expected


def test_refusals_are_compared_by_their_reason() -> None:
    ours = Behaviour(NORMAL, Refusal(reason_of("a virtio cdrom does not exist: ..."), guest_is_off=False))
    theirs = Behaviour(NORMAL, Refusal(reason_of("disk type of 'vdb' does not support ejectable media"), True))
    assert differences(ours, theirs) == {Aspect.GUEST}
    with pytest.raises(ValueError, match="no known class: it rained"):
        reason_of("it rained")


@pytest.mark.parametrize(
    ("keys", "properties", "rules"),
    [
        pytest.param({}, {"hw_rescue_bus": "usb"}, {"found-too-late"}, id="none-but-when"),
        pytest.param({}, {}, set(), id="legacy-alike"),
        pytest.param(
            {"properties": {"hw_disk_bus": "scsi"}},
            {"hw_rescue_device": "disk"},
            {"found-too-late", "default-disk-bus", "kernel-name"},
            id="default-bus",
        ),
        pytest.param(
            {"machine": "q35"},
            {"hw_rescue_device": "cdrom"},
            {"found-too-late", "default-cdrom-bus"},
            id="default-cdrom-bus",
        ),
        pytest.param({"machine": "q35"}, {"hw_disk_bus": "ide"}, {"legacy-disk-bus"}, id="legacy-bus"),
    ],
)
def test_rules_that_hold(keys: dict[str, Any], properties: dict[str, str], rules: set[str]) -> None:
    image = RescueImage.model_validate({"properties": properties})
    found = excused(instance("root", **keys), image)
    assert {rule.name for each in found.values() for rule in each} == rules


def test_every_rule_has_a_name_of_its_own_and_is_on_the_page() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    table = rules_table()
    assert table in PAGE.read_text(), f"docs/nova/differences.md wants this table:\n{table}"
