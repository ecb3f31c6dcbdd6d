"""A scenario's instance in Nova's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.domain.disk_mapping import map_disks
from harness.domain.placement import DiskSource, Placement
from harness.errors import NotAskedError
from harness.implementation.nova.description import (
    asked_of_nova,
    disks_by_source,
    require_guests_for,
    rescue_properties,
    volume_id,
)
from harness.scenario.images import UserImage
from harness.scenario.models import Instance, Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import Role

UUID = "6f1f7f0a-0000-4000-8000-000000000001"


def instance(*disks: dict[str, Any], **keys: Any) -> Instance:
    return Instance.model_validate({"disks": disks or ({"role": "root"},), **keys})


def placed(described: Instance) -> Placement:
    mapping = map_disks(described)
    sources = {name: DiskSource(Path(f"/volumes/{name}"), "raw") for name in mapping.by_name}
    return Placement("rh-1", UUID, "52:54:00:01:02:03", "qemu", "/usr/bin/qemu-system-x86_64", mapping, sources)


@pytest.mark.parametrize(
    ("keys", "properties"),
    [
        pytest.param({}, {}, id="defaults-are-left-to-nova"),
        pytest.param({"machine": "q35"}, {"hw_machine_type": "q35"}, id="machine"),
        pytest.param({"properties": {"hw_machine_type": "q35"}}, {"hw_machine_type": "q35"}, id="machine-property"),
        pytest.param({"firmware": "uefi"}, {"hw_firmware_type": "uefi"}, id="firmware"),
        pytest.param(
            {"properties": {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"}},
            {"hw_disk_bus": "scsi", "hw_scsi_model": "virtio-scsi"},
            id="properties",
        ),
        pytest.param({"devices": ["watchdog"]}, {"hw_watchdog_action": "none"}, id="watchdog"),
        pytest.param({"devices": ["keyboard"]}, {"hw_input_bus": "usb"}, id="keyboard"),
        pytest.param({"properties": {"hw_pointer_model": "ps2mouse"}}, {}, id="pointer-is-an-option-of-nova-conf"),
    ],
)
def test_image_properties(keys: dict[str, Any], properties: dict[str, str]) -> None:
    described = instance(**keys)
    assert asked_of_nova(described, placed(described)).instance.properties == properties


def test_configuration_and_flavor() -> None:
    described = instance(
        {"role": "root"},
        {"role": "swap", "size": "32 MiB"},
        {"role": "config_drive", "format": "vfat"},
        properties={"hw_pointer_model": "ps2mouse"},
        devices=["rng"],
        direct_kernel=True,
    )
    asked = asked_of_nova(described, placed(described))
    assert asked.configuration == {"config_drive_format": "vfat", "pointer_model": "ps2mouse"}
    assert asked.instance.extra_specs == {"hw_rng:allowed": "True"}
    assert (asked.instance.memory_mib, asked.instance.swap_mib) == (256, 32)
    assert asked.instance.has_kernel
    assert asked.instance.has_config_drive
    assert not asked.instance.boots_from_volume


def test_a_volume_keeps_its_id_when_another_is_gone() -> None:
    described = instance({"role": "root"}, {"role": "volume", "name": "one"}, {"role": "volume", "name": "two"})
    known = [disk.volume_id for disk in asked_of_nova(described, placed(described)).instance.disks]
    assert known == [None, *(volume_id(placed(described), name) for name in ("one", "two"))]
    left = instance({"role": "root"}, {"role": "volume", "name": "two"})
    assert volume_id(placed(left), "two") == known[2]


def test_block_device_mapping() -> None:
    described = instance(
        {"role": "root", "from": "volume", "serial": "0123"},
        {"role": "ephemeral", "bus": "scsi"},
        {"role": "config_drive"},
        {"role": "volume", "device": "cdrom", "bus": "sata", "name": "media", "device_name": "sdc"},
    )
    asked = asked_of_nova(described, placed(described)).instance
    assert asked.boots_from_volume
    assert [(disk.role, disk.bus, disk.device, disk.volume_path) for disk in asked.disks] == [
        (Role.ROOT, None, "disk", "/volumes/root"),
        (Role.EPHEMERAL, "scsi", "disk", None),
        (Role.VOLUME, "sata", "cdrom", "/volumes/media"),
    ]
    assert asked.disks[0].serial == "0123"
    assert [disk.device_name for disk in asked.disks] == [None, None, "/dev/sdc"]


def test_a_root_cdrom_is_an_iso_image() -> None:
    described = instance({"role": "root", "device": "cdrom"})
    asked = asked_of_nova(described, placed(described)).instance
    assert (asked.disk_format, asked.disks[0].device) == ("iso", "disk"), "nova-api says disk of every image"


def test_every_nic_has_its_own_mac_and_port() -> None:
    described = instance(nics=["virtio", "virtio"])
    nics = asked_of_nova(described, placed(described)).instance.nics
    assert [nic.mac for nic in nics] == ["52:54:00:01:02:03", "52:54:01:01:02:03", "52:54:02:01:02:03"]
    assert len({nic.port_id for nic in nics}) == 3


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({"devices": ["9p"]}, "so far Nova cannot be asked for a 9p share", id="share"),
        pytest.param({"devices": ["serial"]}, "a second serial port", id="serial"),
        pytest.param({"devices": ["virtiofs"]}, "a share, for which it asks Manila", id="virtiofs"),
        pytest.param({"devices": ["vsock"]}, "a vsock", id="vsock"),
        pytest.param({"properties": {"hw_tpm_version": "2.0"}}, "a TPM", id="tpm"),
        pytest.param({"nics": ["e1000"]}, r"NICs of different models \(virtio and e1000\)", id="nics"),
    ],
)
def test_what_nova_has_no_word_for(keys: dict[str, Any], expected: str) -> None:
    described = Instance.model_validate({"disks": [{"role": "root"}], **keys})
    with pytest.raises(NotAskedError, match=expected):
        asked_of_nova(described, placed(described))


def test_a_guest_of_novas_takes_no_device_of_the_hosts() -> None:
    described = instance({"role": "root"}, {"role": "volume", "device": "lun", "bus": "scsi", "backend": "iscsi"})
    assert asked_of_nova(described, placed(described)).instance.disks[1].device == "lun"
    with pytest.raises(NotAskedError, match="a guest with a LUN"):
        require_guests_for(Scenario(name="lun", summary="A LUN", instance=described))


def test_a_guest_of_novas_is_not_entered_by_way_of_cloud_init() -> None:
    image = UserImage(file="own.qcow2", ssh="cloud-init")
    scenario = Scenario(
        name="own",
        summary="An image of the user's",
        instance=instance({"role": "root"}),
        rescue_image=RescueImage(image=image),
    )
    with pytest.raises(NotAskedError, match="by way of cloud-init"):
        require_guests_for(scenario)


def test_every_disk_is_found_by_what_nova_calls_its_file() -> None:
    described = instance(
        {"role": "root"},
        {"role": "ephemeral"},
        {"role": "volume"},
        {"role": "ephemeral"},
        {"role": "swap"},
        {"role": "config_drive"},
    )
    found = disks_by_source(placed(described), Path("/instances"))
    folder = f"/instances/{UUID}"
    assert found == {
        f"{folder}/disk": "root",
        f"{folder}/disk.eph0": "ephemeral0",
        f"{folder}/disk.eph1": "ephemeral1",
        f"{folder}/disk.swap": "swap",
        f"{folder}/disk.config": "config_drive",
        f"{folder}/disk.rescue": "rescue",
        "/volumes/volume1": "volume1",
    }


def test_rescue_properties_are_as_they_are_written() -> None:
    image = RescueImage.model_validate({"properties": {"hw_rescue_bus": "USB", "hw_scsi_model": "virtio-scsi"}})
    assert rescue_properties(image) == {"hw_rescue_bus": "USB", "hw_scsi_model": "virtio-scsi"}


def test_of_the_instances_own_image_the_user_names_none() -> None:
    assert rescue_properties(RescueImage.model_validate({"image": "instance"})) is None
    tagged = RescueImage.model_validate({"image": "instance", "properties": {"hw_rescue_bus": "usb"}})
    assert rescue_properties(tagged) == {"hw_rescue_bus": "usb"}
    assert rescue_properties(RescueImage()) == {}
