"""Find the devices that a guest's kernel sees on their buses and has no driver for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.address import Address, FloppyUnit
from harness.evidence.guest.attachment import SCSI_TYPE_CDROM, attached, usb_unit
from harness.evidence.guest.sysfs_path import address_of, pci_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.evidence.guest.capture import Capture

TPM = "tpm"
_BLOCK_TYPES = {"0", str(SCSI_TYPE_CDROM)}
_MASS_STORAGE = "08"
_DRIVES = (0, 1)


def undriven(capture: Capture) -> tuple[str, ...]:
    """Return the addresses in full of all devices without a driver, and ``tpm`` if a TPM is among them.

    A device behind a controller without a driver has no address of its own here; the controller's function has.
    """
    places = (*_functions(capture), *_usb_interfaces(capture), *_scsi_devices(capture), *_floppy_drives(capture))
    found = sorted({place.in_full for place in places})
    return (*found, *((TPM,) if TPM in capture.undriven else ()))


def _has_driver(capture: Capture, device: str) -> bool:
    return "DRIVER" in capture.properties(f"{device}/uevent")


def _functions(capture: Capture) -> Iterator[Address]:
    """Yield the PCI functions without a driver, and those whose virtio device has none."""
    for folder in ("/sys/bus/pci/devices", "/sys/bus/virtio/devices"):
        for name, path in capture.children(folder).items():
            if not _has_driver(capture, f"{folder}/{name}"):
                yield Address(pci_path=pci_path(path))


def _usb_interfaces(capture: Capture) -> Iterator[Address]:
    folder = "/sys/bus/usb/devices"
    for name, path in capture.children(folder).items():
        is_storage = capture.text(f"{folder}/{name}/bInterfaceClass") == _MASS_STORAGE
        if is_storage and not _has_driver(capture, f"{folder}/{name}"):
            yield address_of(path, usb_unit(capture, path))


def _scsi_devices(capture: Capture) -> Iterator[Address]:
    folder = "/sys/bus/scsi/devices"
    for name, path in capture.children(folder).items():
        is_block = capture.text(f"{folder}/{name}/type") in _BLOCK_TYPES
        if is_block and not _has_driver(capture, f"{folder}/{name}"):
            # The place is read from the path of the block device that a driver would make.
            yield attached(capture, f"{folder}/{name}/block/none", f"{path}/block/none").address


def _floppy_drives(capture: Capture) -> Iterator[Address]:
    if "floppy" in capture.undriven:
        for drive in _DRIVES:
            yield Address(unit=FloppyUnit(drive=drive))
