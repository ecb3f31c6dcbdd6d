"""Traits: what a capture says of devices, firmware and kernel beside what tells devices apart."""

from __future__ import annotations

from typing import Literal

import pytest

from harness.evidence.guest.capture import Capture
from harness.evidence.guest.traits import with_traits, without_the_boots_traits
from harness.evidence.inventory import Inventory

from ...support.verdict_inventories import NORMAL

ROOT = next(device for device in NORMAL.block_devices if device.name == "vda")
FUNCTION = ROOT.pci_path[-1]
LINES = (
    "/sys/block/vda/queue/physical_block_size 4096",
    "/sys/block/vda/queue/write_cache write back",
    "/sys/block/vda/mq 2",
    f"/sys/bus/pci/devices/{FUNCTION}/virtio0/features 0110000000000000",
    "/sys/class/net/eth0/mtu 1450",
    "/sys/class/tpm/tpm0/pcr-sha256/7 ABCD",
    "/sys/class/tpm/tpm0/pcr-sha256/10 1234",
    "MemTotal 210732",
    "00c84dbec75ed9b60c259c6b233fa76f  /sys/firmware/acpi/tables/HPET",
    "41e41fb4ff3ef53e3cecb9b7db61f9f1  /sys/firmware/acpi/tables/FACS",
    "[   12.5] I/O error, dev vda, sector 8 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2",
)


def config(*capabilities: tuple[int, int, int], has_list: bool = True) -> bytes:
    """Return a configuration space of revision 3, pin 1, and capabilities (offset, id, offset of the next)."""
    space = bytearray(256)
    space[0x06], space[0x08], space[0x3D] = 0x10 if has_list else 0, 3, 1
    space[0x34] = capabilities[0][0] if capabilities else 0
    for offset, identity, following in capabilities:
        space[offset], space[offset + 1] = identity, following
    return bytes(space)


def seen(
    lines: tuple[str, ...] = LINES,
    space: bytes = b"",
    firmware: Literal["bios", "uefi"] = "bios",
    **files: tuple[str, ...],
) -> Inventory:
    capture = Capture(
        settled=True,
        without_medium=frozenset(),
        lines={path.replace("__", "/"): content for path, content in files.items()},
        links={},
        blobs={f"/sys/bus/pci/devices/{FUNCTION}/config": space, "/sys/firmware/dmi/tables/DMI": b"tables"},
        traits=lines,
        firmware=firmware,
    )
    return with_traits(NORMAL, capture)


def of_root(inventory: Inventory) -> dict[str, str]:
    return next(device.traits for device in inventory.block_devices if device.name == "vda")


def of_function(inventory: Inventory) -> dict[str, str]:
    return next(each.traits for each in inventory.pci_devices if each.address == FUNCTION)


def test_a_disk_has_its_queue_and_its_errors() -> None:
    assert of_root(seen()) == {
        "physical block size": "4096",
        "write cache": "write back",
        "queues": "2",
        "I/O errors": "in the kernel's log",
    }
    assert of_root(seen(lines=())) == {"I/O errors": "none"}


def test_an_error_of_another_disk_is_not_its_error() -> None:
    assert of_root(seen(lines=("I/O error, dev vdaa, sector 8",)))["I/O errors"] == "none"


def test_features_are_numbers_of_bits() -> None:
    assert of_function(seen())["virtio features"] == "1 2"


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        pytest.param(config((0x40, 0x11, 0x50), (0x50, 0x09, 0)), "11 09", id="in-order"),
        pytest.param(config((0x40, 0x11, 0x50), (0x50, 0x09, 0x40)), "11 09", id="circle"),
        pytest.param(config((0x40, 0x11, 0), has_list=False), "none", id="no-list"),
        pytest.param(config(), "none", id="empty-list"),
    ],
)
def test_capabilities_are_followed(space: bytes, expected: str) -> None:
    assert of_function(seen(space=space)) == {
        "revision": "03",
        "interrupt pin": "1",
        "capabilities": expected,
        "virtio features": "1 2",
    }


def test_the_system_is_its_processors_memory_and_firmware() -> None:
    cpu = ("processor\t: 0", "model\t\t: 107", "flags\t\t: fpu pse", "processor\t: 1", "flags\t\t: fpu")
    found = seen(__proc__cpuinfo=cpu, __sys__bus__pci__slots__3__address=("0000:00:03",))
    smbios = found.traits.pop("smbios tables")
    assert len(smbios) == 32
    assert found.traits == {
        "cpu count": "2",
        "cpu model": "107",
        "cpu flags": "fpu pse",
        "memory total": "210732 kB",
        "acpi HPET": "00c84dbec75ed9b60c259c6b233fa76f",
        "tpm0 PCR 7": "ABCD",
        "slot 3": "0000:00:03",
    }


def test_a_nic_has_its_mtu() -> None:
    assert [nic.traits for nic in seen().network_interfaces if nic.name == "eth0"] == [{"mtu": "1450"}]


def test_devices_that_came_since_the_boot_leave_nothing_of_the_firmwares_tables() -> None:
    cpu = ("processor\t: 0",)
    assert without_the_boots_traits(seen(__proc__cpuinfo=cpu)).traits == {"cpu count": "1"}


def test_memory_that_uefi_leaves_is_not_compared() -> None:
    assert "memory total" in seen().traits
    assert "memory total" not in seen(firmware="uefi").traits
