"""A refusal passes in a study only where no implementation could do better."""

from __future__ import annotations

import pytest

from harness.domain.disk_mapping import map_disks
from harness.implementation.request import RescueRequest
from harness.scenario.words import DeviceType, DiskBus
from harness.study.due_refusals import may_lack_a_place

from ..domain.test_disk_mapping import instance

ON_SATA, ON_USB = {"role": "volume", "bus": "sata"}, {"role": "volume", "bus": "usb"}
FOUR_ON_IDE = [{"role": "volume", "bus": "ide"}] * 4
PLACES = {
    "virtio has names of its own": (["root", "volume"], DiskBus.VIRTIO, DeviceType.DISK, False),
    "nothing else is an sd": (["root", "volume"], DiskBus.USB, DeviceType.DISK, False),
    "a config drive is an sr, and no sd": (["root", "config_drive"], DiskBus.USB, DeviceType.DISK, False),
    "another sd": (["root", ON_SATA], DiskBus.USB, DeviceType.DISK, True),
    "another sr": (["root", "config_drive"], DiskBus.SCSI, DeviceType.CDROM, True),
    "a CD-ROM beside disks": (["root", ON_SATA], DiskBus.SATA, DeviceType.CDROM, False),
    "a USB CD-ROM may be an sd": (["root", ON_USB], DiskBus.USB, DeviceType.CDROM, True),
    "the IDE bus is full": (["root", *FOUR_ON_IDE], DiskBus.IDE, DeviceType.CDROM, True),
    "a floppy": (["root", ON_USB], DiskBus.FDC, DeviceType.FLOPPY, False),
}


@pytest.mark.parametrize(("disks", "bus", "device", "may_lack"), PLACES.values(), ids=PLACES.keys())
def test_a_place_may_lack_only_beside_disks_named_alike(
    disks: list[object], bus: DiskBus, device: DeviceType, *, may_lack: bool
) -> None:
    mapped = map_disks(instance(*disks)).disks
    assert may_lack_a_place(mapped, RescueRequest(bus, device)) is may_lack
