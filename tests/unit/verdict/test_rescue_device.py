"""The rescue device is what was asked for, and what came along with it is named."""

from __future__ import annotations

import pytest

from harness.evidence.address import AtaUnit, FloppyUnit, ScsiUnit, UsbUnit
from harness.evidence.inventory import BlockDevice, UsbDevice
from harness.scenario.words import ClaimName, DeviceType, DiskBus
from harness.verdict.claims import additions, compare_rescued
from harness.verdict.expected import Expected

from ..support.verdict_inventories import (
    AHCI,
    EHCI,
    EXPECTED,
    LEGACY,
    NORMAL,
    RESCUED,
    STICK,
    TABLET,
    address_of,
    block,
    changed,
    edited,
    function,
    keys,
    pci,
    plus,
    port,
    scsi,
    stick,
    without,
)

RESCUE_DEVICES: dict[str, tuple[BlockDevice, Expected, tuple[str, str] | None]] = {
    "usb disk": (stick(), EXPECTED, None),
    "usb cdrom as disk": (stick(), EXPECTED.model_copy(update={"rescue_device": DeviceType.CDROM}), ("cdrom", "disk")),
    "scsi instead of usb": (scsi("sdc", "rescue", 3), EXPECTED, ("usb", "scsi")),
    "sata told from ide": (
        block("sdc", "rescue", AHCI, unit=AtaUnit(port=1), bus="ata", driver="sd"),
        EXPECTED.model_copy(update={"rescue_bus": DiskBus.IDE}),
        ("ide", "sata"),
    ),
    "sata as asked": (
        block("sdc", "rescue", AHCI, unit=AtaUnit(port=1), bus="ata", driver="ahci"),
        EXPECTED.model_copy(update={"rescue_bus": DiskBus.SATA}),
        None,
    ),
    "ata of an unknown driver": (
        block("sdc", "rescue", EHCI, unit=AtaUnit(port=1), bus="ata", driver="sd"),
        EXPECTED.model_copy(update={"rescue_bus": DiskBus.IDE}),
        None,
    ),
    "floppy": (
        block("sdc", "rescue", unit=FloppyUnit(drive=0), bus="floppy", kind="floppy"),
        EXPECTED.model_copy(update={"rescue_bus": DiskBus.FDC, "rescue_device": DeviceType.FLOPPY}),
        None,
    ),
    "nothing asked for": (scsi("sdc", "rescue", 3), LEGACY, None),
}


@pytest.mark.parametrize(("device", "expected", "change"), RESCUE_DEVICES.values(), ids=RESCUE_DEVICES.keys())
def test_rescue_device_is_of_the_bus_and_kind_asked_for(
    device: BlockDevice, expected: Expected, change: tuple[str, str] | None
) -> None:
    found = compare_rescued(NORMAL, plus(without(RESCUED, "rescue"), device), expected)
    additions_found = [finding for finding in found if finding.claim is ClaimName.ONLY_ADDITION]
    assert [(finding.before, finding.after) for finding in additions_found] == ([change] if change else [])


def test_usb_cdrom_finding_says_which_libvirt_is_behind_it() -> None:
    expected = EXPECTED.model_copy(update={"rescue_device": DeviceType.CDROM})
    (finding,) = compare_rescued(NORMAL, RESCUED, expected)
    assert "libvirt before 11.5" in finding.message


def test_additions_name_the_device_and_the_controllers_it_brought() -> None:
    assert additions(NORMAL, RESCUED, EXPECTED) == (
        f"rescue device sdc: usb disk at PCI {EHCI} USB port 1",
        f"USB controller (EHCI) at PCI {EHCI}",
        "USB controller (UHCI) at PCI 0000:00:1d.1",
    )
    new = "0000:07:00.0"
    device = block("sdc", "rescue", "0000:00:02.6", new, unit=ScsiUnit(target=1), bus="scsi", hctl="3:0:1:0")
    scsi_rescue = pci(plus(NORMAL, device), "", port(6), function(new, "1af4:1048", "010000", "0000:00:02.6"))
    assert additions(NORMAL, scsi_rescue, EXPECTED) == (
        f"rescue device sdc: scsi disk at PCI {new} SCSI 0:1:0",
        "PCI Express root port at PCI 0000:00:02.6",
        f"virtio-scsi controller at PCI {new}",
    )


def test_a_hub_on_the_way_to_the_rescue_stick_is_named() -> None:
    hub = UsbDevice(port="2-2", controller=EHCI, vendor_product="0409:55aa", product="QEMU USB Hub")
    rescued = edited(
        changed(RESCUED, "rescue", usb_port="2-2.1", address=address_of(EHCI, unit=UsbUnit(ports="2.1"))),
        usb_devices=(TABLET, hub, STICK.model_copy(update={"port": "2-2.1"})),
    )
    assert compare_rescued(NORMAL, rescued, EXPECTED) == ()
    assert f"QEMU USB Hub at PCI {EHCI} USB port 2" in additions(NORMAL, rescued, EXPECTED)


def test_a_pci_function_off_the_rescue_devices_path_is_a_finding_and_no_addition() -> None:
    rescued = pci(RESCUED, "", port(7))
    assert keys(compare_rescued(NORMAL, rescued, EXPECTED)) == {
        ("other-hardware", "0000:00:02.7", "missing", "present")
    }
    assert additions(NORMAL, rescued, EXPECTED) == additions(NORMAL, RESCUED, EXPECTED)
