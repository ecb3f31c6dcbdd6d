"""What a scenario's keys say together: disks, buses and serials that cannot be had."""

from __future__ import annotations

from typing import Any

import pytest

from harness.reading.checks.instance_checks import check
from harness.scenario.models import Scenario

ROOT = {"role": "root"}


def problems_of(*disks: dict[str, Any], **instance: Any) -> list[str]:
    data = {"name": "a", "summary": "s", "instance": {"disks": [ROOT, *disks], **instance}}
    return [str(problem) for problem in check(Scenario.model_validate(data))]


def volume(**keys: Any) -> dict[str, Any]:
    return {"role": "volume", **keys}


CONFIG_DRIVE = {"role": "config_drive"}
IDE = {"role": "volume", "bus": "ide"}
SCSI = {"role": "volume", "bus": "scsi"}


@pytest.mark.parametrize(
    ("disks", "instance"),
    [
        pytest.param([], {}, id="root-alone"),
        pytest.param([volume(), volume(name="data"), volume()], {}, id="named-among-unnamed"),
        pytest.param([volume(serial="x" * 20)], {}, id="serial-as-long-as-virtio-carries"),
        pytest.param([volume(bus="scsi", serial="x" * 36)], {}, id="serial-as-long-as-scsi-carries"),
        pytest.param([IDE, IDE, IDE, CONFIG_DRIVE], {}, id="four-ide-devices"),
        pytest.param([IDE, IDE, IDE, IDE, CONFIG_DRIVE], {"properties": {"hw_cdrom_bus": "sata"}}, id="sata-drive"),
        pytest.param([CONFIG_DRIVE], {"machine": "q35"}, id="config-drive-on-q35"),
        pytest.param([volume(device="floppy", bus="fdc")], {}, id="floppy"),
        pytest.param([volume(backend="nbd", encryption="luks"), volume(backend="iscsi")], {}, id="served"),
        pytest.param([volume(device="cdrom", bus="usb")], {}, id="usb-cdrom"),
        pytest.param([volume(device="lun", bus="scsi", backend="iscsi")], {}, id="lun"),
        pytest.param([SCSI, SCSI], {"properties": {"hw_scsi_model": "lsisas1068"}}, id="two-on-lsisas1068"),
        pytest.param(
            [volume(bus="scsi", device_name="sdi")], {"properties": {"hw_scsi_model": "vmpvscsi"}}, id="next-controller"
        ),
        pytest.param(
            [], {"machine": "q35", "firmware": "uefi", "properties": {"os_secure_boot": "required"}}, id="secure-boot"
        ),
        pytest.param([], {"machine": "q35", "properties": {"hw_machine_type": "q35"}}, id="machine-said-twice"),
    ],
)
def test_sound_instances_have_no_problems(disks: list[dict[str, Any]], instance: dict[str, Any]) -> None:
    assert problems_of(*disks, **instance) == []


@pytest.mark.parametrize(
    ("disks", "instance", "expected"),
    [
        pytest.param(
            [volume(device_name="vdb"), volume(device_name="vdb")],
            {},
            'instance.disks.2.device_name: "vdb" is also asked for by disks.1',
            id="device-name-twice",
        ),
        pytest.param(
            [volume(name="data"), volume(name="data")], {}, 'disks.2.name: "data" is also the name', id="name-twice"
        ),
        pytest.param(
            [volume(name="volume2"), volume()],
            {},
            'disks.2.name: "volume2" (this volume\'s default) is also the name of disks.1',
            id="name-of-a-default",
        ),
        *(
            pytest.param([volume(name=name)], {}, f'"{name}" is the harness\'s own name', id=f"reserved-{name}")
            for name in ("root", "swap", "config_drive", "rescue", "ephemeral0")
        ),
        pytest.param(
            [volume(serial="a"), volume(serial="a")],
            {},
            'disks.2.serial: "a" is also the serial of disks.1',
            id="serial-twice",
        ),
        pytest.param(
            [volume(serial="3f1e7e5a-2f6b-4b8e-9d0e-1f2a3b4c5d6e")],
            {},
            "36 bytes long; allowed: at most 20 on bus virtio: virtio-blk carries 20 bytes and the guest would see",
            id="volume-id-on-virtio",
        ),
        pytest.param([volume(bus="sata", serial="x" * 21)], {}, "at most 20 on bus sata", id="long-on-sata"),
        pytest.param([volume(bus="ide", serial="x" * 21)], {}, "at most 20 on bus ide", id="long-on-ide"),
        pytest.param([volume(bus="usb", serial="x" * 21)], {}, "at most 20 on bus usb", id="long-on-usb"),
        pytest.param([volume(bus="scsi", serial="x" * 37)], {}, "at most 36 on bus scsi", id="long-on-scsi"),
        pytest.param([volume(serial="a/b")], {}, 'found "a/b"; allowed: letters, digits', id="slash-in-serial"),
        pytest.param(
            [volume(bus="fdc", device="floppy", serial="a")], {}, "a serial on a floppy", id="serial-on-floppy"
        ),
        pytest.param([IDE], {"machine": "q35"}, 'disks.1.bus: found "ide"', id="ide-on-q35"),
        pytest.param([IDE], {"machine": "pc-q35-7.2"}, "but pc-q35-7.2 has no IDE controller", id="ide-on-versioned"),
        pytest.param(
            [CONFIG_DRIVE],
            {"machine": "q35", "properties": {"hw_cdrom_bus": "ide"}},
            'instance.properties.hw_cdrom_bus: found "ide" for the cdrom config_drive, but q35 has no IDE controller; '
            "allowed: scsi, sata, usb",
            id="ide-config-drive-on-q35",
        ),
        pytest.param(
            [volume(bus="fdc")],
            {},
            'bus: found "fdc" for the disk volume1, but',
            id="disk-on-fdc",
        ),
        pytest.param(
            [volume(bus="ide", device_name="hde")],
            {},
            "instance.disks.1: volume1 would be hde, for which there is no place on the IDE bus",
            id="no-such-place-on-ide",
        ),
        pytest.param(
            [volume(device="floppy", bus="fdc")] * 3,
            {},
            "instance.disks.3: 3 floppy drives with this one (volume1, volume2, volume3); allowed: 2",
            id="three-floppies",
        ),
        pytest.param(
            [volume(bus="sata", device_name="sdzz")],
            {},
            'device_name: "sdzz", for which libvirt would make a controller for every few names',
            id="a-name-far-away",
        ),
        pytest.param(
            [volume(size="4 KiB")], {}, "size: 4 KiB for volume1; allowed: 8 KiB or more", id="volume-without-room"
        ),
        pytest.param(
            [{"role": "swap", "size": "100 KiB"}],
            {},
            "size: 100 KiB for swap; allowed: 104 KiB or more",
            id="swap-without-room",
        ),
        pytest.param(
            [{"role": "ephemeral", "size": "128 KiB"}],
            {},
            "size: 128 KiB for ephemeral0; allowed: 192 KiB or more",
            id="ephemeral-without-room",
        ),
        pytest.param(
            [], {"memory": "4 KiB"}, "instance.memory: 4 KiB, in which no Linux boots; allowed: 64 MiB", id="memory"
        ),
        pytest.param([volume(bus="usb", device="floppy")], {}, "allowed: fdc", id="usb-floppy"),
        pytest.param(
            [volume(device="cdrom")],
            {},
            'instance.disks.1.bus: found "virtio" for the cdrom volume1, but virtio-blk has no ejectable media',
            id="cdrom-on-the-default-bus",
        ),
        pytest.param(
            [IDE, IDE, IDE, IDE, CONFIG_DRIVE],
            {},
            "instance.disks.5: 5 IDE devices with this one (volume1, volume2, volume3, volume4, config_drive); "
            "allowed: 4 IDE devices",
            id="five-ide-devices",
        ),
        pytest.param(
            [],
            {"machine": "pc", "properties": {"hw_machine_type": "q35"}},
            'hw_machine_type: found "q35", but instance.machine is "pc"',
            id="two-machines",
        ),
        pytest.param(
            [],
            {"machine": "q35", "properties": {"os_secure_boot": "required"}},
            'os_secure_boot: found "required", but SeaBIOS knows no secure boot',
            id="secure-boot-without-uefi",
        ),
        pytest.param(
            [],
            {"machine": "pc", "firmware": "uefi", "properties": {"os_secure_boot": "required"}},
            "but OVMF guards its keys by SMM, and not on pc; allowed: required together with machine: q35",
            id="secure-boot-on-pc",
        ),
        pytest.param(
            [SCSI, SCSI, SCSI],
            {"properties": {"hw_scsi_model": "lsisas1068"}},
            "disks.3: volume3 would be sdc, which libvirt makes LUN 2: lsisas1068 has none above 1; allowed: sda, sdb",
            id="three-on-lsisas1068",
        ),
        pytest.param(
            [SCSI, SCSI],
            {"properties": {"hw_scsi_model": "lsisas1078"}},
            "disks.2: volume2 would be sdb, which libvirt makes LUN 1: lsisas1078 has none above 0; allowed: sda",
            id="two-on-lsisas1078",
        ),
        pytest.param(
            [volume(bus="usb"), SCSI],
            {"properties": {"hw_scsi_model": "vmpvscsi"}},
            "disks.2: volume2 would be sdb, which libvirt makes LUN 1: vmpvscsi has none above 0; allowed: sda on",
            id="second-name-on-vmpvscsi",
        ),
        pytest.param(
            [volume(device="lun", bus="sata", backend="iscsi")],
            {},
            'disks.1.bus: found "sata" for the lun volume1, but',
            id="lun-on-sata",
        ),
        pytest.param(
            [volume(device="lun", bus="scsi")],
            {},
            'disks.1.backend: found "raw" for a lun: a file answers no SCSI commands; allowed: iscsi',
            id="lun-in-a-file",
        ),
        *(
            pytest.param(
                [volume(device="lun", bus="scsi", backend="iscsi", **{key: value})],
                {},
                f'disks.1.{key}: found "{value}" for a lun, of which the guest sees what the target says',
                id=f"lun-with-{key}",
            )
            for key, value in (("serial", "x"), ("encryption", "luks"))
        ),
        pytest.param(
            [], {"properties": {"hw_machine_type": "Q35"}}, 'did you mean "q35"?', id="unknown-hw-machine-type"
        ),
    ],
)
def test_impossible_instances_are_told(disks: list[dict[str, Any]], instance: dict[str, Any], expected: str) -> None:
    (problem,) = problems_of(*disks, **instance)
    assert expected in problem


@pytest.mark.parametrize(("key", "value"), [("backend", "nbd"), ("backend", "raw"), ("encryption", "luks")])
def test_backend_and_encryption_belong_to_a_volume(key: str, value: str) -> None:
    data = {"name": "a", "summary": "s", "instance": {"disks": [{"role": "root", key: value}]}}
    (problem,) = check(Scenario.model_validate(data))
    assert str(problem).startswith(f'instance.disks.0.{key}: found "{value}" on a root disk that is no volume')
    data["instance"]["disks"][0]["from"] = "volume"  # type: ignore[index]
    assert check(Scenario.model_validate(data)) == []


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ({"bus": "virtio"}, 'instance.disks.0.bus: found "virtio" for the cdrom root'),
        ({"from": "volume"}, 'instance.disks.0.device: found "cdrom" for a root disk from a volume'),
    ],
)
def test_iso_image_is_on_a_cdrom_bus_and_in_no_volume(root: dict[str, Any], expected: str) -> None:
    data = {"name": "a", "summary": "s", "instance": {"disks": [{"role": "root", "device": "cdrom", **root}]}}
    (problem,) = check(Scenario.model_validate(data))
    assert expected in str(problem)


def test_serial_belongs_to_a_volume() -> None:
    data = {"name": "a", "summary": "s", "instance": {"disks": [{"role": "root", "serial": "x"}]}}
    (problem,) = check(Scenario.model_validate(data))
    assert str(problem).startswith("instance.disks.0.serial: a serial on a root disk that is no volume")
    data["instance"]["disks"][0]["from"] = "volume"  # type: ignore[index]
    assert check(Scenario.model_validate(data)) == []


def test_a_name_asked_for_by_a_step_begins_as_its_bus_does() -> None:
    data = {
        "name": "a",
        "summary": "s",
        "instance": {"disks": [ROOT]},
        "steps": [{"attach": {"role": "volume", "device_name": "sdb"}}],
    }
    (problem,) = check(Scenario.model_validate(data))
    assert str(problem).startswith('steps.0.attach.device_name: "sdb" for a disk on bus virtio')


def test_a_name_can_be_asked_for_again_once_its_disk_is_detached() -> None:
    data = {
        "name": "a",
        "summary": "s",
        "instance": {"disks": [ROOT, {"role": "volume", "device_name": "vdd"}]},
        "steps": [{"detach": "volume1"}, {"attach": {"role": "volume", "device_name": "vdd"}}],
    }
    assert check(Scenario.model_validate(data)) == []
    data["steps"].pop(0)  # type: ignore[attr-defined]
    (problem,) = check(Scenario.model_validate(data))
    assert str(problem).startswith('steps.0.attach.device_name: "vdd" is the name of volume1 at this step')
