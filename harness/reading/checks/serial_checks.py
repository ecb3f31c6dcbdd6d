"""Check of serials: those that a disk cannot have, and those that the guest would see differently."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.reading.problem import Key, Problem, quoted
from harness.scenario.disks import RootDisk, Volume
from harness.scenario.words import DeviceType, DiskBus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.reading.placed_disks import Placed

# QEMU: VIRTIO_BLK_ID_BYTES; IDENTIFY DEVICE words 10 to 19; scsi-disk's MAX_SERIAL_LEN. usb-storage hands its serial to
# an inner scsi-disk without a device_id of its own, to which MAX_SERIAL_LEN_FOR_DEVID applies. Since QEMU 9.1 scsi-disk
# refuses serials that are too long; before, it cut them off.
_SERIAL_BYTES = {
    DiskBus.VIRTIO: (20, "virtio-blk carries 20 bytes and the guest would see it truncated"),
    DiskBus.IDE: (20, "an IDE device carries 20 bytes and the guest would see it truncated"),
    DiskBus.SATA: (20, "a SATA device carries 20 bytes and the guest would see it truncated"),
    DiskBus.SCSI: (36, "QEMU's SCSI disks carry 36 bytes, and QEMU 9.1 and newer refuse a longer one"),
    DiskBus.USB: (20, "QEMU's USB storage carries 20 bytes as its id, and QEMU 9.1 and newer refuse a longer one"),
}
# libvirt: QEMU_SERIAL_PARAM_ACCEPTED_CHARS.
_SERIAL = re.compile(r"[A-Za-z0-9_ .+-]+")


def serial_problems(placed: Sequence[Placed]) -> Iterator[Problem]:
    """Report serials that do not fit the disk or its bus, or that two disks share."""
    seen: dict[str, Placed] = {}
    for entry in placed:
        if not isinstance(entry.disk, RootDisk | Volume) or entry.disk.serial is None:
            continue
        if entry.device is DeviceType.LUN:
            continue
        serial, key = entry.disk.serial, (*entry.key, "serial")
        if isinstance(entry.disk, RootDisk) and entry.disk.source != "volume":
            yield Problem(key, "a serial on a root disk that is no volume", "a serial together with 'from: volume'")
            continue
        if serial in seen:
            found = f"{quoted(serial)} is also the serial of {seen[serial].told}"
            yield Problem(key, found, "a serial of its own for each")
        seen.setdefault(serial, entry)
        yield from _unfit_serial(key, serial, entry.bus)


def _unfit_serial(key: Key, serial: str, bus: DiskBus) -> Iterator[Problem]:
    if bus is DiskBus.FDC:
        yield Problem(key, "a serial on a floppy, which has none", "no serial")
        return
    if not _SERIAL.fullmatch(serial):
        yield Problem(key, f"found {quoted(serial)}", "letters, digits, space and . + - _, which libvirt takes")
    most, reason = _SERIAL_BYTES[bus]
    length = len(serial.encode())
    if length > most:
        yield Problem(key, f"{quoted(serial)} is {length} bytes long", f"at most {most} on bus {bus}: {reason}")
