"""Whose a property is that QEMU prints, and which are left out."""

from __future__ import annotations

import pytest

from harness.evidence.machine.machine_settings import MachineSettings, medium_settings
from harness.evidence.machine.machine_tree import parse_device_tree

TREE = """\
bus: main-system-bus
  type System
  dev: hpet, id ""
    timers = 3 (0x3)
  dev: i440FX-pcihost, id ""
    short_root_bus = 0 (0x0)
    bus: pci.0
      type PCI
      dev: virtio-blk-pci, id "virtio-disk0"
        ioeventfd = true
        addr = 04.0
        acpi-index = 0 (0x0)
        class SCSI controller, addr 00:04.0, pci id 1af4:1001 (sub 1af4:0002)
        bus: virtio-bus
          type virtio-pci-bus
          dev: virtio-blk-device, id ""
            drive = "libvirt-3-format"
            serial = "one"
            num-queues = 1 (0x1)
      dev: piix4-pm, id ""
        disable_s3 = 0 (0x0)
        class Bridge, addr 00:01.3, pci id 8086:7113 (sub 1af4:1100)
        bus: i2c
          type i2c-bus
          dev: smbus-eeprom, id ""
            address = 80 (0x50)
          dev: smbus-eeprom, id ""
            address = 81 (0x51)
      dev: PIIX3, id ""
        class ISA bridge, addr 00:01.0, pci id 8086:7000 (sub 1af4:1100)
        bus: isa.0
          type ISA
          dev: isa-serial, id "serial0"
            index = 0 (0x0)
            chardev = "charserial0"
          dev: isa-fdc, id ""
            iobase = 1008 (0x3f0)
"""
SETTINGS = {
    "virtio-blk-device": {
        "ioeventfd": "true",
        "acpi-index": "0 (0x0)",
        "virtio-blk-device 1 num-queues": "1 (0x1)",
    },
    "piix4-pm": {
        "disable_s3": "0 (0x0)",
        "smbus-eeprom 1 address": "80 (0x50)",
        "smbus-eeprom 2 address": "81 (0x51)",
    },
    "isa-serial": {"index": "0 (0x0)"},
    "PIIX3": {},
}


@pytest.mark.parametrize(("kind", "expected"), SETTINGS.items(), ids=SETTINGS)
def test_a_property_goes_to_the_device_with_a_name_or_a_place(kind: str, expected: dict[str, str]) -> None:
    tree = parse_device_tree(TREE)
    device = next(device for device in tree.devices if device.kind == kind)
    assert MachineSettings(tree).of(device) == expected


def test_what_belongs_to_no_device_is_the_boards() -> None:
    assert MachineSettings(parse_device_tree(TREE)).of_the_board == {
        "hpet 1 timers": "3 (0x3)",
        "i440FX-pcihost 1 short_root_bus": "0 (0x0)",
    }


def test_limits_cache_and_what_a_file_is_laid_over_are_a_mediums() -> None:
    inserted = {
        "file": "/root.qcow2",
        "node-name": "libvirt-3-format",
        "children": [{"child": "file", "node-name": "libvirt-3-storage"}],
        "ro": False,
        "iops": 100,
        "detect_zeroes": "off",
        "cache": {"direct": False},
        "image": {"virtual-size": 1, "actual-size": 1, "format": "qcow2", "backing-filename": "/instance.img"},
    }
    assert medium_settings(inserted) == {
        "iops": "100",
        "detect_zeroes": "off",
        "cache direct": "False",
        "image format": "qcow2",
        "image backing-filename": "/instance.img",
    }
