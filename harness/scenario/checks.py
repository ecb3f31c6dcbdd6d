"""What no single key shows: disks that clash, buses that the machine lacks, serials that do not fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.scenario.disks import ConfigDrive, Disk, RootDisk, Volume
from harness.scenario.image_checks import image_problems
from harness.scenario.models import Instance, Scenario
from harness.scenario.problem import Key, Problem, dotted, nearest_of, quoted
from harness.scenario.step_checks import step_problems
from harness.scenario.steps import Step, attached_volumes
from harness.scenario.target_names import NAME_PREFIX, deal_targets, target_index, target_name
from harness.scenario.words import DeviceType, DiskBus, Firmware, Role, ScsiModel, VolumeBackend

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINES = "pc, q35 or a versioned one such as pc-q35-7.2 or pc-i440fx-7.2"
_MACHINE = re.compile(r"pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+")
_RESERVED_NAME = re.compile(r"root|swap|config_drive|rescue|ephemeral[0-9]*")
_MOST_IDE_DISKS = 4
# QEMU: max_lun in hw/scsi/mptsas.c and hw/scsi/vmw_pvscsi.c. libvirt makes the number behind a disk's target name its
# unit, seven to a controller, and gives further controllers its own default model (virDomainDiskDefAssignAddress).
_HIGHEST_LUN = {ScsiModel.LSISAS1068: 1, ScsiModel.VMPVSCSI: 0}
_UNITS_OF_A_CONTROLLER = 7

# QEMU: VIRTIO_BLK_ID_BYTES; IDENTIFY DEVICE words 10 to 19; scsi-disk's MAX_SERIAL_LEN. usb-storage hands its serial to
# an inner scsi-disk that has no device_id of its own, where MAX_SERIAL_LEN_FOR_DEVID holds; since QEMU 9.1 scsi-disk
# refuses what it cut off before.
_SERIAL_BYTES = {
    DiskBus.VIRTIO: (20, "virtio-blk carries 20 bytes and the guest would see it truncated"),
    DiskBus.IDE: (20, "an IDE device carries 20 bytes and the guest would see it truncated"),
    DiskBus.SATA: (20, "a SATA device carries 20 bytes and the guest would see it truncated"),
    DiskBus.SCSI: (36, "QEMU's SCSI disks carry 36 bytes, and QEMU 9.1 and newer refuse a longer one"),
    DiskBus.USB: (20, "QEMU's USB storage carries 20 bytes as its id, and QEMU 9.1 and newer refuse a longer one"),
}
# libvirt: QEMU_SERIAL_PARAM_ACCEPTED_CHARS.
_SERIAL = re.compile(r"[A-Za-z0-9_ .+-]+")


@dataclass(frozen=True)
class Placed:
    """A disk with the bus and device type in force, and the key that decided on the bus."""

    key: Key
    disk: Disk
    name: str
    bus: DiskBus
    device: DeviceType
    bus_key: Key


def check(scenario: Scenario) -> list[Problem]:
    """Everything about an instance and its disks that is wrong although each key on its own is right.

    Keys of the problems are those of the scenario file. The matrix and the expectations are checked elsewhere.
    """
    instance = scenario.instance
    from_start = list(_placed(instance))
    attached = list(_attached(instance, scenario.steps))
    placed = [*from_start, *attached]
    return [
        *_machine_problems(instance),
        *_secure_boot_problems(instance),
        *_name_problems(placed),
        *_device_name_problems(from_start),
        *_bus_problems(instance, placed),
        *_ide_problems(instance, from_start),
        *_scsi_problems(instance, from_start),
        *_storage_problems(placed),
        *_serial_problems(placed),
        *step_problems(instance, scenario.steps, from_start, attached),
        *image_problems(scenario),
    ]


def _placed(instance: Instance) -> Iterator[Placed]:
    properties: Key = ("instance", "properties")
    seen: dict[Role, int] = {}
    for index, disk in enumerate(instance.disks):
        key: Key = ("instance", "disks", index)
        earlier = seen.get(disk.role, 0)
        seen[disk.role] = earlier + 1
        device = DeviceType.DISK
        bus, bus_key = instance.properties.hw_disk_bus, (*properties, "hw_disk_bus")
        name = str(disk.role)
        match disk:
            case ConfigDrive(format="iso9660") | RootDisk(device=DeviceType.CDROM, bus=None):
                device = DeviceType.CDROM
                bus = instance.properties.hw_cdrom_bus or (DiskBus.SATA if instance.is_q35 else DiskBus.IDE)
                bus_key = (*properties, "hw_cdrom_bus")
            case ConfigDrive():
                pass
            case _ if disk.bus is not None:
                bus, bus_key = disk.bus, (*key, "bus")
        match disk:
            case RootDisk():
                device = disk.device
            case Volume():
                device, name = disk.device, disk.name or f"volume{earlier + 1}"
                bus_key = bus_key if device is DeviceType.DISK else (*key, "bus")
            case _ if disk.role is Role.EPHEMERAL:
                name = f"ephemeral{earlier}"
        yield Placed(key, disk, name, bus, device, bus_key)


def _attached(instance: Instance, steps: tuple[Step, ...]) -> Iterator[Placed]:
    first = sum(disk.role is Role.VOLUME for disk in instance.disks)
    for position, (name, volume) in attached_volumes(first, steps).items():
        key: Key = ("steps", position, "attach")
        default: Key = ("instance", "properties", "hw_disk_bus")
        bus_key = default if volume.bus is None else (*key, "bus")
        yield Placed(key, volume, name, volume.bus or instance.properties.hw_disk_bus, volume.device, bus_key)


def _told(key: Key) -> str:
    """A disk's key as a message names it: ``disks.2``, ``steps.0.attach``."""
    return dotted(key).removeprefix("instance.")


def _machine_problems(instance: Instance) -> Iterator[Problem]:
    wanted = instance.properties.hw_machine_type
    key: Key = ("instance", "properties", "hw_machine_type")
    if wanted is None:
        return
    if not _MACHINE.fullmatch(wanted):
        yield Problem(key, f"found {quoted(wanted)}", MACHINES, nearest_of(wanted, ["pc", "q35"]))
    elif instance.machine is not None and instance.machine != wanted:
        yield Problem(
            key,
            f"found {quoted(wanted)}, but instance.machine is {quoted(instance.machine)}",
            "one of the two keys, or the same value in both",
        )


def _secure_boot_problems(instance: Instance) -> Iterator[Problem]:
    if instance.properties.os_secure_boot != "required":
        return
    key: Key = ("instance", "properties", "os_secure_boot")
    if instance.firmware is not Firmware.UEFI:
        yield Problem(
            key, 'found "required", but SeaBIOS knows no secure boot', "required together with firmware: uefi"
        )
    elif not instance.is_q35:
        found = f'found "required", but OVMF guards its keys by SMM, and not on {instance.machine_type}'
        yield Problem(key, found, "required together with machine: q35")


def _name_problems(placed: list[Placed]) -> Iterator[Problem]:
    names: dict[str, Placed] = {}
    for entry in placed:
        if isinstance(entry.disk, Volume):
            key = (*entry.key, "name")
            if _RESERVED_NAME.fullmatch(entry.name):
                yield Problem(
                    key,
                    f"{quoted(entry.name)} is the harness's own name for another disk",
                    "any name but root, ephemeral0 and so on, swap, config_drive and rescue",
                )
            elif entry.name in names:
                by_default = "" if entry.disk.name else " (this volume's default)"
                other = _told(names[entry.name].key)
                found = f"{quoted(entry.name)}{by_default} is also the name of {other}"
                yield Problem(key, found, "a name of its own for each volume")
        names.setdefault(entry.name, entry)


def _device_name_problems(placed: list[Placed]) -> Iterator[Problem]:
    asked: dict[str, Placed] = {}
    for entry in placed:
        if isinstance(entry.disk, ConfigDrive) or entry.disk.device_name is None:
            continue
        name = entry.disk.device_name
        prefix = NAME_PREFIX[entry.bus]
        if not name.startswith(prefix):
            yield Problem(
                (*entry.key, "device_name"),
                f"{quoted(name)} for a disk on bus {entry.bus}",
                f"a name that begins with {prefix}: Nova names disks by their bus, libvirt places them by their names",
            )
        if name in asked:
            yield Problem(
                (*entry.key, "device_name"),
                f"{quoted(name)} is also asked for by {_told(asked[name].key)}",
                "a device name of its own for each disk, or none",
            )
        asked.setdefault(name, entry)


def _bus_problems(instance: Instance, placed: list[Placed]) -> Iterator[Problem]:
    alike: dict[tuple[Key, DiskBus, DeviceType, str], list[Placed]] = {}
    for entry in placed:
        reason = _impossible(instance, entry)
        if reason is not None:
            alike.setdefault((entry.bus_key, entry.bus, entry.device, reason), []).append(entry)
    for (key, bus, device, reason), entries in alike.items():
        names = ", ".join(entry.name for entry in entries)
        what = f"the {device}{'s' if len(entries) > 1 else ''} {names}"
        yield Problem(key, f"found {quoted(str(bus))} for {what}, but {reason}", _buses_for(instance, device))


def _impossible(instance: Instance, entry: Placed) -> str | None:
    if entry.device is DeviceType.FLOPPY:
        return None if entry.bus is DiskBus.FDC else "floppies are on a floppy controller only"
    if entry.bus is DiskBus.FDC:
        return "a floppy controller has floppies only"
    if entry.device is DeviceType.LUN and entry.bus is not DiskBus.SCSI:
        return "only QEMU's SCSI buses pass SCSI commands through"
    if entry.bus is DiskBus.VIRTIO and entry.device is DeviceType.CDROM:
        return "virtio-blk has no ejectable media"
    if entry.bus is DiskBus.IDE and instance.is_q35:
        return f"{instance.machine_type} has no IDE controller"
    return None


def _buses_for(instance: Instance, device: DeviceType) -> str:
    if device is DeviceType.FLOPPY:
        return str(DiskBus.FDC)
    if device is DeviceType.LUN:
        return str(DiskBus.SCSI)
    impossible = {DiskBus.FDC}
    if instance.is_q35:
        impossible.add(DiskBus.IDE)
    if device is DeviceType.CDROM:
        impossible.add(DiskBus.VIRTIO)
    return ", ".join(bus for bus in DiskBus if bus not in impossible)


def _ide_problems(instance: Instance, placed: list[Placed]) -> Iterator[Problem]:
    on_ide = [entry for entry in placed if entry.bus is DiskBus.IDE]
    if instance.is_q35 or len(on_ide) <= _MOST_IDE_DISKS:
        return
    names = ", ".join(entry.name for entry in on_ide)
    yield Problem(
        on_ide[_MOST_IDE_DISKS].key,
        f"{len(on_ide)} IDE devices with this one ({names})",
        f"{_MOST_IDE_DISKS} IDE devices: pc has two channels of two, and a config drive is one of them by default",
    )


def _scsi_problems(instance: Instance, placed: list[Placed]) -> Iterator[Problem]:
    model = instance.properties.hw_scsi_model
    if model not in _HIGHEST_LUN:
        return
    highest = _HIGHEST_LUN[model]
    free = ", ".join(target_name(NAME_PREFIX[DiskBus.SCSI], lun) for lun in range(highest + 1))
    targets = deal_targets(instance.disks, [entry.bus for entry in placed])
    for entry, target in zip(placed, targets, strict=True):
        lun = target_index(target)
        if entry.bus is DiskBus.SCSI and highest < lun < _UNITS_OF_A_CONTROLLER:
            found = f"{entry.name} would be {target}, which libvirt makes LUN {lun}: {model} has none above {highest}"
            yield Problem(entry.key, found, f"{free} on {model}, or another hw_scsi_model")


def _storage_problems(placed: list[Placed]) -> Iterator[Problem]:
    for entry in placed:
        if entry.device is DeviceType.LUN:
            yield from _lun_problems(entry)
        if isinstance(entry.disk, RootDisk) and entry.device is DeviceType.CDROM and entry.disk.source == "volume":
            found = 'found "cdrom" for a root disk from a volume: Nova takes it from an image of format iso'
            yield Problem((*entry.key, "device"), found, "cdrom together with 'from: image'")
        if not isinstance(entry.disk, RootDisk) or entry.disk.source == "volume":
            continue
        for name, value in (("backend", entry.disk.backend), ("encryption", entry.disk.encryption)):
            if value is not None:
                found = f"found {quoted(str(value))} on a root disk that is no volume"
                yield Problem((*entry.key, name), found, f"{name} together with 'from: volume'")


def _lun_problems(entry: Placed) -> Iterator[Problem]:
    """SCSI commands need somebody to answer them: here it is the iSCSI target, and it knows its own serial only."""
    if not isinstance(entry.disk, Volume):
        return
    if entry.disk.backend is not VolumeBackend.ISCSI:
        found = f"found {quoted(str(entry.disk.backend))} for a lun: a file answers no SCSI commands"
        yield Problem((*entry.key, "backend"), found, str(VolumeBackend.ISCSI))
    for name, value in (("encryption", entry.disk.encryption), ("serial", entry.disk.serial)):
        if value is not None:
            found = f"found {quoted(value)} for a lun, of which the guest sees what the target says and stores"
            yield Problem((*entry.key, name), found, f"no {name}")


def _serial_problems(placed: list[Placed]) -> Iterator[Problem]:
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
            found = f"{quoted(serial)} is also the serial of {_told(seen[serial].key)}"
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
