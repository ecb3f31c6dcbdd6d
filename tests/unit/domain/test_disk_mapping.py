from __future__ import annotations

import pytest

from harness.domain.disk_mapping import bus_and_device, map_disks, mapped_disk, target_after
from harness.domain.target_names import target_index, target_name
from harness.scenario.models import Instance
from harness.scenario.words import DeviceType, DiskBus, Role

FULL = ["root", "ephemeral", "ephemeral", "swap", "volume", "config_drive"]


def instance(*roles: str | dict[str, object], **keys: object) -> Instance:
    disks = [{"role": role} if isinstance(role, str) else role for role in roles]
    return Instance.model_validate({"disks": disks, **keys})


def targets(subject: Instance) -> dict[str, str]:
    return {disk.name: disk.target for disk in map_disks(subject).disks}


@pytest.mark.parametrize(("index", "name"), [(0, "vda"), (25, "vdz"), (26, "vdaa"), (701, "vdzz"), (702, "vdaaa")])
def test_target_names_count_as_the_kernel_does(index: int, name: str) -> None:
    assert target_name("vd", index) == name
    assert target_index(name) == index


def test_full_set_is_named_in_novas_order() -> None:
    assert targets(instance(*FULL)) == {
        "root": "vda",
        "ephemeral0": "vdb",
        "ephemeral1": "vdc",
        "swap": "vdd",
        "volume1": "vde",
        "config_drive": "hda",
    }


def test_config_drive_shares_the_sd_names_on_q35() -> None:
    subject = instance("root", {"role": "volume", "bus": "scsi"}, "config_drive", machine="q35")
    assert targets(subject) == {"root": "vda", "volume1": "sda", "config_drive": "sdb"}


def test_config_drive_is_named_last_wherever_it_stands() -> None:
    subject = instance("config_drive", "root", "volume", properties={"hw_disk_bus": "scsi"}, machine="q35")
    assert targets(subject) == {"config_drive": "sdc", "root": "sda", "volume1": "sdb"}


def test_vfat_config_drive_is_a_disk_on_the_disk_bus() -> None:
    assert targets(instance("root", {"role": "config_drive", "format": "vfat"}))["config_drive"] == "vdb"


def test_name_asked_for_is_kept_and_nobody_else_gets_it() -> None:
    subject = instance({"role": "root"}, {"role": "volume", "device_name": "vdb"}, "ephemeral")
    assert targets(subject) == {"root": "vda", "volume1": "vdb", "ephemeral0": "vdc"}


def test_every_scsi_disk_has_a_unit_of_its_own_on_virtio_scsi() -> None:
    subject = instance("root", "volume", "volume", properties={"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"})
    assert [disk.scsi_unit for disk in map_disks(subject).disks] == [0, 1, 2]
    without_model = instance("root", "volume", properties={"hw_disk_bus": "scsi"})
    assert [disk.scsi_unit for disk in map_disks(without_model).disks] == [None, None]


def test_nova_deals_units_to_its_own_disks_before_volumes() -> None:
    properties = {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"}
    drive = {"role": "config_drive", "format": "vfat"}
    subject = instance("volume", {"role": "root", "from": "volume"}, drive, "volume", "swap", properties=properties)
    assert {disk.name: disk.scsi_unit for disk in map_disks(subject).disks} == {
        "root": 0,
        "config_drive": 1,
        "swap": 2,
        "volume1": 3,
        "volume2": 4,
    }


def test_rescue_device_never_takes_a_name_in_a_gap() -> None:
    assert target_after(DiskBus.VIRTIO, ["vda", "vdd", "sdz"]) == "vde"
    assert target_after(DiskBus.USB, ["vda", "sdc"]) == "sdd"
    assert target_after(DiskBus.SCSI, []) == "sda"


@pytest.mark.parametrize(("machine", "bus", "target"), [("pc", "ide", "hda"), ("q35", "sata", "sda")])
def test_root_of_an_iso_image_is_on_the_bus_of_cdroms(machine: str, bus: str, target: str) -> None:
    (root,) = map_disks(instance({"role": "root", "device": "cdrom"}, machine=machine)).disks
    assert (root.device, root.bus, root.target) == (DeviceType.CDROM, DiskBus(bus), target)


def test_lun_shows_the_serial_of_its_target() -> None:
    lun = {"role": "volume", "bus": "scsi", "device": "lun", "backend": "iscsi"}
    assert map_disks(instance("root", lun)).disks[1].serial is None


def test_floppy_has_no_serial_to_show() -> None:
    subject = instance("root", {"role": "volume", "bus": "fdc", "device": "floppy"})
    assert map_disks(subject).disks[1].serial is None


def test_mapping_finds_a_disk_by_name_and_by_role_beside_what_the_scenario_says() -> None:
    subject = instance("volume", "root", {"role": "volume", "name": "data", "bus": "scsi"})
    mapping = map_disks(subject)
    assert [disk for disk, _ in mapping.pairs] == list(subject.disks)
    assert list(mapping.by_name) == ["volume1", "root", "data"]
    assert mapping.by_name["data"].target == "sda"
    assert mapping.of_role(Role.VOLUME) == (mapping.disks[0], mapping.disks[2])


def test_volume_that_is_attached_is_mapped_as_one_from_the_start() -> None:
    subject = instance("root", {"role": "volume", "device_name": "vdc"}, properties={"hw_disk_bus": "scsi"})
    volume = subject.disks[1]
    assert bus_and_device(subject, volume) == (DiskBus.SCSI, DeviceType.DISK)
    assert mapped_disk(subject, volume, "volume1", "vdc") == map_disks(subject).by_name["volume1"]
