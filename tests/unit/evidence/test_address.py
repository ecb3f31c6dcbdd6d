"""An address is a value: equal by its parts, and printed in one place."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.evidence.address import Address, AtaUnit, FloppyUnit, GuestBus, ScsiUnit, Unit, UsbUnit
from harness.evidence.guest.sysfs_path import address_of

FUNCTION = "0000:05:00.0"
PATH = ("0000:00:02.4", FUNCTION)
DEEP = f"pci 0000:00:02.4/{FUNCTION}"
SECOND_LUN = ScsiUnit(lun=1)

TEXTS: dict[str, tuple[Address, str, str, str]] = {
    "a function": (Address(pci_path=PATH), f"PCI {FUNCTION}", FUNCTION, DEEP),
    "scsi": (
        Address(pci_path=PATH, unit=ScsiUnit(channel=2, target=1, lun=16684)),
        f"PCI {FUNCTION} SCSI 2:1:16684",
        f"{FUNCTION} 2:1:16684",
        f"{DEEP} scsi 2:1:16684",
    ),
    "one of several scsi hosts": (
        Address(pci_path=PATH, unit=ScsiUnit(host=0, lun=1)),
        f"PCI {FUNCTION} SCSI host 0 0:0:1",
        f"{FUNCTION} host 0 0:0:1",
        f"{DEEP} scsi host 0 0:0:1",
    ),
    "ata": (
        Address(pci_path=PATH, unit=AtaUnit(port=2, device=1)),
        f"PCI {FUNCTION} ATA 2.1",
        f"{FUNCTION} 2.1",
        f"{DEEP} ata 2.1",
    ),
    "behind a port multiplier": (
        Address(pci_path=PATH, unit=AtaUnit(port=2, link=3)),
        f"PCI {FUNCTION} ATA 2.3.0",
        f"{FUNCTION} 2.3.0",
        f"{DEEP} ata 2.3.0",
    ),
    "an ata port without a number": (
        Address(pci_path=PATH, unit=AtaUnit(port=None)),
        f"PCI {FUNCTION} ATA ?.0",
        f"{FUNCTION} ?.0",
        f"{DEEP} ata ?.0",
    ),
    "usb": (
        Address(pci_path=PATH, unit=UsbUnit(ports="3.2")),
        f"PCI {FUNCTION} USB port 3.2",
        f"{FUNCTION} 3.2",
        f"{DEEP} usb 3.2",
    ),
    "usb superspeed, and a unit behind the stick": (
        Address(pci_path=PATH, unit=UsbUnit(ports="2", superspeed=True, scsi=SECOND_LUN)),
        f"PCI {FUNCTION} USB port superspeed 2 scsi 0:0:1",
        f"{FUNCTION} superspeed 2 scsi 0:0:1",
        f"{DEEP} usb superspeed 2 scsi 0:0:1",
    ),
    "a floppy": (Address(unit=FloppyUnit(drive=1)), "floppy 1", "1", "floppy 1"),
    "not on PCI": (
        Address(elsewhere="platform/mmio/virtio0", unit=UsbUnit(ports="1")),
        *["platform/mmio/virtio0 usb 1"] * 3,
    ),
    "nowhere": (Address(), "", "", ""),
}


@pytest.mark.parametrize(("address", "sentence", "short", "in_full"), TEXTS.values(), ids=TEXTS)
def test_an_address_is_printed(address: Address, sentence: str, short: str, in_full: str) -> None:
    assert (str(address), address.short, address.in_full) == (sentence, short, in_full)


@pytest.mark.parametrize("address", [address for address, *_ in TEXTS.values()], ids=TEXTS)
def test_an_address_is_equal_by_its_parts(address: Address) -> None:
    again = Address.model_validate_json(address.model_dump_json())
    assert again == address
    assert hash(again) == hash(address)
    assert [other for other, *_ in TEXTS.values() if other == address] == [address]


def test_units_that_read_alike_on_different_buses_are_different() -> None:
    on_usb, floppy = Address(pci_path=PATH, unit=UsbUnit(ports="1")), Address(pci_path=PATH, unit=FloppyUnit(drive=1))
    assert on_usb.short == floppy.short
    assert on_usb != floppy


def test_the_bus_is_that_behind_the_function() -> None:
    assert Address(pci_path=PATH).bus is None
    assert Address(pci_path=PATH, unit=SECOND_LUN).bus is GuestBus.SCSI
    assert Address(pci_path=PATH, unit=SECOND_LUN).function == FUNCTION
    assert Address(unit=FloppyUnit(drive=0)).function is None


def test_a_usb_device_is_told_superspeed_by_its_speed_and_has_no_first_unit() -> None:
    assert UsbUnit.at("1", 480, ScsiUnit()) == UsbUnit(ports="1")
    assert UsbUnit.at("1", 5000, SECOND_LUN) == UsbUnit(ports="1", superspeed=True, scsi=SECOND_LUN)


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param({"bus": "nvme", "lun": 1}, id="no such bus"),
        pytest.param({"bus": "virtio"}, id="a bus without units"),
        pytest.param({"bus": "scsi", "port": 1}, id="a part of another bus"),
        pytest.param({"bus": "floppy"}, id="a part missing"),
        pytest.param("scsi 0:0:1", id="a text"),
    ],
)
def test_no_address_is_made_of_what_is_none(unit: object) -> None:
    with pytest.raises(ValidationError):
        Address.model_validate({"unit": unit})


@pytest.mark.parametrize(
    ("device_path", "unit", "in_full"),
    [
        pytest.param(
            "/sys/devices/pci0000:00/0000:00:12.0/0000:01:02.0/host2/target2:0:2/2:0:2:0/block/sdc",
            ScsiUnit(target=2),
            "pci 0000:00:12.0/0000:01:02.0 scsi 0:2:0",
            id="behind a bridge",
        ),
        pytest.param("/sys/devices/platform/mmio/virtio0", None, "platform/mmio/virtio0", id="not on PCI"),
        pytest.param(
            "/sys/devices/pci0000:00/0000:00:12/00:01.1x/0000:00:12.8/x",
            None,
            "pci0000:00/0000:00:12/00:01.1x/0000:00:12.8/x",
            id="what only looks like PCI functions",
        ),
    ],
)
def test_an_address_is_read_from_sysfs(device_path: str, unit: Unit | None, in_full: str) -> None:
    assert address_of(device_path, unit).in_full == in_full
