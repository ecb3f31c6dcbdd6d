"""An instance while steps change it: names, numbers and tokens of what stays do not change with what goes."""

from __future__ import annotations

from dataclasses import replace

from harness.domain.disk_mapping import MappedDisk, map_disks
from harness.domain.placement import DiskSource
from harness.domain.rendering import render_domain
from harness.domain.xml import parse_domain
from harness.instance.current_instance import CurrentInstance
from harness.scenario.disks import Volume
from harness.scenario.models import Instance
from harness.scenario.words import DeviceType, DiskBus, Role, VifModel

from ..domain.test_disk_mapping import instance
from ..implementation.reference.test_implementation import placement

DISKS = ("root", {"role": "volume", "device": "floppy", "bus": "fdc"}, "volume", "volume", "config_drive")


def first(subject: Instance) -> CurrentInstance:
    placed = placement(subject)
    tokens = {name: name for name in placed.mapping.by_name} | {"rescue": "rescue", "late": "late"}
    return CurrentInstance.first(subject, placed, tokens)


def names(current: CurrentInstance) -> dict[str, str]:
    return {disk.name: disk.target for disk in current.placement.mapping.disks}


def test_a_volume_that_goes_takes_no_other_name_with_it() -> None:
    current = first(instance(*DISKS))
    assert names(current) == {
        "root": "vda",
        "volume1": "fda",
        "volume2": "vdb",
        "volume3": "vdc",
        "config_drive": "hda",
    }
    after = current.without_volume("volume2")
    assert names(after) == {"root": "vda", "volume1": "fda", "volume3": "vdc", "config_drive": "hda"}
    assert after.tokens.keys() == names(after).keys() | {"rescue"}


def test_a_volume_that_comes_is_the_last_and_has_the_name_it_got() -> None:
    current = first(instance(*DISKS)).without_volume("volume2")
    late = MappedDisk("late", Role.VOLUME, DiskBus.VIRTIO, DeviceType.DISK, "vdb", serial="late")
    after = current.with_volume(Volume(role=Role.VOLUME), late)
    assert list(names(after).items())[-1] == ("late", "vdb")
    assert after.tokens["late"] == "late"
    assert after.volumes_ever == 4


def test_nics_keep_their_numbers_and_addresses() -> None:
    current = first(instance("root", nics=["virtio", "e1000"])).without_nic(1).with_nic(VifModel.RTL8139)
    assert current.nics == {2: VifModel.E1000, 3: VifModel.RTL8139}
    assert current.with_nic(VifModel.VIRTIO).without_nic(3).nics == {2: VifModel.E1000, 4: VifModel.VIRTIO}
    root = parse_domain(render_domain(current.instance, current.placement.mapping.disks, current.placement))
    macs = [mac.get("address", "")[6:8] for mac in root.iterfind("devices/interface/mac")]
    assert macs == ["00", "02", "03"]


def test_an_overlay_is_the_disk_s_file_and_knows_what_is_below() -> None:
    current = first(instance("root"))
    below = current.placement.sources["root"]
    overlay = DiskSource(below.path.with_name("overlay"), "qcow2", below=below)
    after = current.with_overlay("root", overlay, "fresh")
    assert after.placement == replace(current.placement, sources={**current.placement.sources, "root": overlay})
    assert after.tokens == {"root": "fresh", "rescue": "rescue"}


def test_the_disk_mapping_stands_beside_the_instance_whatever_becomes_of_it() -> None:
    current = first(instance(*DISKS, nics=["virtio"]))
    late = MappedDisk("late", Role.VOLUME, DiskBus.VIRTIO, DeviceType.DISK, "vdd", serial="late")
    for after in (
        current,
        current.without_volume("volume2"),
        current.with_volume(Volume(role=Role.VOLUME), late).without_nic(1),
    ):
        assert after.placement.mapping == map_disks(after.instance)
    assert current.without_nic(1).placement.mapping is current.placement.mapping


def test_another_rescue_medium_takes_the_place_of_the_last_one() -> None:
    current = first(instance(*DISKS))
    source = DiskSource(current.placement.sources["rescue"].path.with_name("rescue-of-step-1.qcow2"), "qcow2")
    after = current.with_medium(source, "new")
    assert after.placement.sources["rescue"] == source
    assert after.tokens == {**current.tokens, "rescue": "new"}
    assert after.with_medium(None, "newer").placement.sources["rescue"] == source
