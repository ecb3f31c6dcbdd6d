from __future__ import annotations

from typing import Any

import pytest

from harness.errors import Refused
from harness.implementation.request import RescueRequest, resolve_request
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import DeviceType, DiskBus

from ..domain.test_disk_mapping import instance

PC = instance("root", machine="pc")
Q35 = instance("root", machine="q35")
UEFI = instance("root", machine="q35", firmware="uefi")


def resolve(subject: Instance, **properties: Any) -> RescueRequest | None:
    return resolve_request(subject, RescueImage.model_validate({"properties": properties}))


def test_neither_property_is_legacy() -> None:
    assert resolve(PC) is None
    assert resolve(PC, hw_disk_bus="scsi", hw_cdrom_bus="ide") is None


@pytest.mark.parametrize(
    ("subject", "properties", "bus", "device"),
    [
        pytest.param(PC, {"hw_rescue_bus": "usb"}, "usb", "disk", id="bus only is a disk"),
        pytest.param(PC, {"hw_rescue_device": "disk"}, "virtio", "disk", id="disk only is on hw_disk_bus"),
        pytest.param(PC, {"hw_rescue_device": "cdrom"}, "ide", "cdrom", id="cdrom only on pc"),
        pytest.param(Q35, {"hw_rescue_device": "cdrom"}, "sata", "cdrom", id="cdrom only on q35"),
        pytest.param(
            Q35,
            {"hw_rescue_device": "cdrom", "hw_machine_type": "pc"},
            "sata",
            "cdrom",
            id="the rescue image's machine type does not count",
        ),
        pytest.param(Q35, {"hw_rescue_device": "cdrom", "hw_cdrom_bus": "scsi"}, "scsi", "cdrom", id="image's bus"),
        pytest.param(PC, {"hw_rescue_device": "disk", "hw_disk_bus": "scsi"}, "scsi", "disk", id="image's disk bus"),
        pytest.param(PC, {"hw_rescue_device": "floppy"}, "fdc", "floppy", id="floppy only"),
        pytest.param(PC, {"hw_rescue_bus": "sata", "hw_rescue_device": "cdrom"}, "sata", "cdrom", id="both"),
    ],
)
def test_request_is_completed_from_the_instance(
    subject: Instance, properties: dict[str, str], bus: str, device: str
) -> None:
    assert resolve(subject, **properties) == RescueRequest(DiskBus(bus), DeviceType(device))


@pytest.mark.parametrize(
    ("subject", "properties", "reason", "refused_by"),
    [
        pytest.param(PC, {"hw_rescue_bus": "nvme"}, "'nvme' is none of", "reference", id="unknown bus"),
        pytest.param(PC, {"hw_rescue_bus": "USB"}, 'did you mean "usb"', "reference", id="wrong case"),
        pytest.param(PC, {"hw_rescue_bus": ""}, "'' is none of", "reference", id="empty"),
        pytest.param(PC, {"hw_rescue_device": "stick"}, "'stick' is none of", "reference", id="unknown device"),
        pytest.param(PC, {"hw_rescue_bus": "xen"}, "not supported on xen", "blueprint", id="xen bus"),
        pytest.param(PC, {"hw_rescue_bus": "lxc"}, "not supported on lxc", "blueprint", id="lxc bus"),
        pytest.param(PC, {"hw_rescue_device": "lun"}, "block device", "libvirt", id="lun"),
        pytest.param(
            PC, {"hw_rescue_bus": "virtio", "hw_rescue_device": "cdrom"}, "ejectable", "libvirt", id="virtio cdrom"
        ),
        pytest.param(PC, {"hw_rescue_bus": "usb", "hw_rescue_device": "floppy"}, "fdc", "libvirt", id="usb floppy"),
        pytest.param(PC, {"hw_rescue_bus": "fdc"}, "fdc", "libvirt", id="fdc disk"),
        pytest.param(Q35, {"hw_rescue_bus": "ide"}, "no IDE controller", "QEMU", id="ide on q35"),
        pytest.param(UEFI, {"hw_rescue_device": "floppy"}, "no floppy driver", "OVMF", id="floppy under UEFI"),
        pytest.param(
            instance("root", properties={"img_hv_type": "lxc"}),
            {"hw_rescue_bus": "usb"},
            "not supported on lxc",
            "blueprint",
            id="lxc instance",
        ),
    ],
)
def test_impossible_request_is_refused_with_its_reason(
    subject: Instance, properties: dict[str, str], reason: str, refused_by: str
) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        resolve(subject, **properties)
    assert refused.value.refused_by == refused_by
