"""Read traits from a capture: what devices, firmware and kernel say of themselves beside what tells devices apart.

A trait is a text by name. ``harness.verdict.traits`` knows which traits depend on the kernel, or on what is plugged in.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import TYPE_CHECKING

from harness.evidence.inventory import BlockDevice, Inventory, NetworkInterface, PciDevice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.evidence.guest.capture import Capture

_FILE = re.compile(r"(/sys/\S+) (.*)")
_DIGEST = re.compile(r"([0-9a-f]{32})  /sys/firmware/acpi/tables/(\w+)")
_MEMORY = re.compile(r"MemTotal (\d+)")
_IO_ERROR = re.compile(r"I/O error.*?\bdev (\w+)")
_WITH_ADDRESSES = frozenset({"BGRT", "FACP", "FACS", "RSDT", "TPM2", "UEFI", "XSDT"})
"""ACPI tables that hold addresses of memory (ACPI specification, chapter 5; TCG ACPI specification)."""
_OF_FIRMWARE = frozenset({"0", "1", "2", "3", "4", "6", "7"})
"""The PCRs that firmware extends (TCG PC Client Platform Firmware Profile, 2.3.4), but for 5, which has the partition
table: an instance may change that at its first boot. Boot loader and kernel extend the others."""
_MADE_AT_BOOT = ("acpi ", "smbios ", "tpm", "memory ")
_QUEUE = {
    "physical_block_size": "physical block size",
    "rotational": "rotational",
    "write_cache": "write cache",
    "discard_max_bytes": "most bytes in a discard",
}
_STATUS, _HAS_CAPABILITIES, _REVISION, _CAPABILITIES = 0x06, 0x10, 0x08, 0x34
"""Offsets in the PCI configuration space, and the bit of the status that says that there is a list."""
_PIN = 0x3D


def with_traits(inventory: Inventory, capture: Capture) -> Inventory:
    """Return the inventory with the traits of the system and of each device."""
    files = {match[1]: match[2] for line in capture.traits if (match := _FILE.fullmatch(line))}
    failed = {match[1] for line in capture.traits if (match := _IO_ERROR.search(line))}
    return inventory.model_copy(
        update={
            "traits": dict(_system(capture, files)),
            "block_devices": tuple(
                device.model_copy(update={"traits": dict(_block_device(device, files, failed))})
                for device in inventory.block_devices
            ),
            "network_interfaces": tuple(
                nic.model_copy(update={"traits": dict(_network_interface(nic, files))})
                for nic in inventory.network_interfaces
            ),
            "pci_devices": tuple(
                function.model_copy(update={"traits": dict(_pci_device(function, capture, files))})
                for function in inventory.pci_devices
            ),
        }
    )


def without_the_boots_traits(inventory: Inventory) -> Inventory:
    """Return the inventory without what the firmware made at the boot, of devices that have changed since."""
    kept = {name: value for name, value in inventory.traits.items() if not name.startswith(_MADE_AT_BOOT)}
    return inventory.model_copy(update={"traits": kept})


def _block_device(device: BlockDevice, files: Mapping[str, str], failed: set[str]) -> Iterator[tuple[str, str]]:
    for file, name in _QUEUE.items():
        value = files.get(f"/sys/block/{device.name}/queue/{file}")
        if value is not None:
            yield name, value
    queues = files.get(f"/sys/block/{device.name}/mq")
    if queues is not None:
        yield "queues", queues
    yield "I/O errors", "in the kernel's log" if device.name in failed else "none"


def _network_interface(nic: NetworkInterface, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("mtu", "carrier"):
        value = files.get(f"/sys/class/net/{nic.name}/{name}")
        if value is not None:
            yield name, value


def _pci_device(function: PciDevice, capture: Capture, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    folder = f"/sys/bus/pci/devices/{function.address}"
    config = capture.blobs.get(f"{folder}/config", b"")
    if len(config) > _PIN:
        yield "revision", f"{config[_REVISION]:02x}"
        yield "interrupt pin", str(config[_PIN])
        yield "capabilities", " ".join(_capabilities(config)) or "none"
    for file, value in files.items():
        if file.startswith(f"{folder}/virtio") and file.endswith("/features"):
            yield "virtio features", " ".join(str(bit) for bit, is_set in enumerate(value) if is_set == "1")


def _capabilities(config: bytes) -> Iterator[str]:
    """Return the ids of the capabilities in their order; a list that leads in a circle ends where it was before."""
    if not config[_STATUS] & _HAS_CAPABILITIES:
        return
    seen: set[int] = set()
    offset = config[_CAPABILITIES] & ~3
    while offset and offset not in seen and offset + 1 < len(config):
        seen.add(offset)
        yield f"{config[offset]:02x}"
        offset = config[offset + 1] & ~3


def _system(capture: Capture, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    processors = [line for line in capture.lines.get("/proc/cpuinfo", ()) if re.match(r"processor\s*:", line)]
    if processors:
        yield "cpu count", str(len(processors))
    for field in ("cpu family", "model", "stepping", "flags"):
        value = _of_first_processor(capture, field)
        if value is not None:
            yield f"cpu {field.removeprefix('cpu ')}", value
    for line in capture.traits:
        # UEFI keeps memory for itself, and remembers from boot to boot how much. SMBIOS has the whole size.
        if capture.firmware != "uefi" and (match := _MEMORY.fullmatch(line)):
            yield "memory total", f"{match[1]} kB"
        elif (match := _DIGEST.fullmatch(line)) and match[2] not in _WITH_ADDRESSES:
            yield f"acpi {match[2]}", match[1]
    tables = capture.blobs.get("/sys/firmware/dmi/tables/DMI")
    if tables:
        yield "smbios tables", hashlib.md5(tables, usedforsecurity=False).hexdigest()
    for path, value in files.items():
        if path.startswith("/sys/class/tpm/") and posixpath.basename(path) in _OF_FIRMWARE:
            yield f"{path.split('/')[4]} PCR {posixpath.basename(path)}", value
    for slot, address in _slots(capture):
        yield f"slot {slot}", address


def _of_first_processor(capture: Capture, field: str) -> str | None:
    for line in capture.lines.get("/proc/cpuinfo", ()):
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return None


def _slots(capture: Capture) -> Iterator[tuple[str, str]]:
    for path in sorted(capture.lines):
        if path.startswith("/sys/bus/pci/slots/") and path.endswith("/address"):
            yield path.split("/")[5], capture.text(path) or ""
