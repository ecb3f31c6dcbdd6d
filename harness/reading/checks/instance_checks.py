"""Checks that take several keys: disks that clash, buses that the machine lacks, serials that do not fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.domain.target_names import NAME_PREFIX, target_index, target_name
from harness.reading.checks.bus_checks import bus_problems
from harness.reading.checks.image_checks import image_problems
from harness.reading.checks.serial_checks import serial_problems
from harness.reading.checks.step_checks import step_problems
from harness.reading.placed_disks import Placed, placed_disks, placed_volumes
from harness.reading.problem import Key, Problem, nearest_of, quoted
from harness.scenario.disks import ConfigDrive, RootDisk, Volume
from harness.scenario.models import Instance, Scenario
from harness.scenario.words import KIB, MIB, DeviceType, Firmware, Role, VolumeBackend

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINES = "pc, q35 or a versioned one such as pc-q35-7.2 or pc-i440fx-7.2"
_MACHINE = re.compile(r"pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+")
_HIGHEST_ASKED = 255
_LEAST_BYTES = {Role.VOLUME: 8 * KIB, Role.SWAP: 104 * KIB, Role.EPHEMERAL: 192 * KIB}
_LEAST_MEMORY_BYTES = 64 * MIB
_HOLDS = {
    Role.VOLUME: "it holds a marker and a block of data",
    Role.SWAP: "mkswap wants ten pages beside a marker and a block of data",
    Role.EPHEMERAL: "mkfs.ext4 wants room beside a marker and a block of data",
}
_RESERVED_NAME = re.compile(r"root|swap|config_drive|rescue|ephemeral[0-9]*")


def check(scenario: Scenario) -> list[Problem]:
    """Return every problem of a scenario whose keys are right on their own.

    Each problem's key is as in the scenario file. Other functions check the matrix and the expectations.
    """
    return [*check_instance(scenario), *image_problems(scenario)]


def check_instance(scenario: Scenario) -> list[Problem]:
    """Return the problems of the instance and its disks that do not depend on its image or its rescue image."""
    instance = scenario.instance
    from_start = list(placed_disks(instance))
    attached = list(placed_volumes(instance, scenario.steps))
    placed = [*from_start, *attached]
    return [
        *_machine_problems(instance),
        *_secure_boot_problems(instance),
        *_name_problems(placed),
        *_device_name_problems(from_start, attached),
        *bus_problems(instance, from_start, attached),
        *_storage_problems(placed),
        *_size_problems(instance, placed),
        *serial_problems(placed),
        *step_problems(instance, scenario.steps, from_start, attached),
    ]


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
                other = names[entry.name].told
                found = f"{quoted(entry.name)}{by_default} is also the name of {other}"
                yield Problem(key, found, "a name of its own for each volume")
        names.setdefault(entry.name, entry)


def _device_name_problems(from_start: list[Placed], attached: list[Placed]) -> Iterator[Problem]:
    """Yield problems of device names.

    Names that steps ask for are not compared here: a disk with the same name may be detached by then, which
    ``step_problems`` checks.
    """
    asked: dict[str, Placed] = {}
    for entry in (*from_start, *attached):
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
        if target_index(name) > _HIGHEST_ASKED:
            found = f"{quoted(name)}, for which libvirt would make a controller for every few names before it"
            yield Problem(
                (*entry.key, "device_name"),
                found,
                f"a name up to {target_name(NAME_PREFIX[entry.bus], _HIGHEST_ASKED)}",
            )
        if name in asked and entry in from_start:
            yield Problem(
                (*entry.key, "device_name"),
                f"{quoted(name)} is also asked for by {asked[name].told}",
                "a device name of its own for each disk, or none",
            )
        asked.setdefault(name, entry)


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


def _size_problems(instance: Instance, placed: list[Placed]) -> Iterator[Problem]:
    """Report disks too small for their contents, and an instance with too little memory for any image."""
    for entry in placed:
        if isinstance(entry.disk, RootDisk | ConfigDrive):
            continue
        least = _LEAST_BYTES[entry.disk.role]
        if entry.disk.size_bytes < least:
            found = f"{entry.disk.size_bytes // KIB} KiB for {entry.name}"
            yield Problem((*entry.key, "size"), found, f"{least // KIB} KiB or more: {_HOLDS[entry.disk.role]}")
    if instance.memory_bytes < _LEAST_MEMORY_BYTES:
        found = f"{instance.memory_bytes // KIB} KiB, in which no Linux boots"
        yield Problem(("instance", "memory"), found, f"{_LEAST_MEMORY_BYTES // MIB} MiB or more")


def _lun_problems(entry: Placed) -> Iterator[Problem]:
    """Report LUNs that no iSCSI target backs, and their serial and encryption, which the target decides."""
    if not isinstance(entry.disk, Volume):
        return
    if entry.disk.backend is not VolumeBackend.ISCSI:
        found = f"found {quoted(str(entry.disk.backend))} for a lun: a file answers no SCSI commands"
        yield Problem((*entry.key, "backend"), found, str(VolumeBackend.ISCSI))
    for name, value in (("encryption", entry.disk.encryption), ("serial", entry.disk.serial)):
        if value is not None:
            found = f"found {quoted(value)} for a lun, of which the guest sees what the target says and stores"
            yield Problem((*entry.key, name), found, f"no {name}")
