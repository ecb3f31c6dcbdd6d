"""Check of buses: whether a bus can take its disks, by their kind, the machine and the places on the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.domain.target_names import NAME_PREFIX, target_index, target_name
from harness.reading.problem import Key, Problem, quoted
from harness.scenario.words import DeviceType, DiskBus, ScsiModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.reading.placed_disks import Placed
    from harness.scenario.models import Instance

_MOST_IDE_DISKS = 4
_MOST_FLOPPIES = 2
# QEMU: max_lun in hw/scsi/mptsas.c and hw/scsi/vmw_pvscsi.c; hw/scsi/megasas.c reports LUN 0 only. libvirt takes a
# disk's unit from its target name, with seven units to a controller, and gives further controllers libvirt's default
# model (virDomainDiskDefAssignAddress).
_HIGHEST_LUN = {ScsiModel.LSISAS1068: 1, ScsiModel.LSISAS1078: 0, ScsiModel.VMPVSCSI: 0}
_UNITS_OF_A_CONTROLLER = 7


def bus_problems(instance: Instance, from_start: Sequence[Placed], attached: Sequence[Placed]) -> Iterator[Problem]:
    """Yield a problem for each impossible bus; only disks that the instance has from the start count for limits."""
    yield from _impossible_buses(instance, [*from_start, *attached])
    yield from _ide_problems(instance, from_start)
    yield from _floppy_problems(from_start)
    yield from _scsi_problems(instance, from_start)


def _impossible_buses(instance: Instance, placed: Sequence[Placed]) -> Iterator[Problem]:
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


def _ide_problems(instance: Instance, placed: Sequence[Placed]) -> Iterator[Problem]:
    on_ide = [entry for entry in placed if entry.bus is DiskBus.IDE]
    if instance.is_q35:
        return
    beyond = target_name(NAME_PREFIX[DiskBus.IDE], _MOST_IDE_DISKS)
    for entry, index in _indices(on_ide):
        if len(on_ide) <= _MOST_IDE_DISKS <= index:
            found = f"{entry.name} would be {entry.target}, for which there is no place on the IDE bus"
            yield Problem(entry.key, found, f"names before {beyond}: pc has two channels of two")
    if len(on_ide) <= _MOST_IDE_DISKS:
        return
    names = ", ".join(entry.name for entry in on_ide)
    yield Problem(
        on_ide[_MOST_IDE_DISKS].key,
        f"{len(on_ide)} IDE devices with this one ({names})",
        f"{_MOST_IDE_DISKS} IDE devices: pc has two channels of two, and a config drive is one of them by default",
    )


def _floppy_problems(placed: Sequence[Placed]) -> Iterator[Problem]:
    floppies = [entry for entry in placed if entry.bus is DiskBus.FDC]
    if len(floppies) > _MOST_FLOPPIES:
        found = f"{len(floppies)} floppy drives with this one ({', '.join(entry.name for entry in floppies)})"
        yield Problem(floppies[_MOST_FLOPPIES].key, found, f"{_MOST_FLOPPIES}: libvirt has one floppy controller")


def _scsi_problems(instance: Instance, placed: Sequence[Placed]) -> Iterator[Problem]:
    model = instance.properties.hw_scsi_model
    if model not in _HIGHEST_LUN:
        return
    highest = _HIGHEST_LUN[model]
    free = ", ".join(target_name(NAME_PREFIX[DiskBus.SCSI], lun) for lun in range(highest + 1))
    for entry, lun in _indices(entry for entry in placed if entry.bus is DiskBus.SCSI):
        if highest < lun < _UNITS_OF_A_CONTROLLER:
            which = f"{entry.target}, which libvirt makes LUN {lun}"
            found = f"{entry.name} would be {which}: {model} has none above {highest}"
            yield Problem(entry.key, found, f"{free} on {model}, or another hw_scsi_model")


def _indices(placed: Iterable[Placed]) -> Iterator[tuple[Placed, int]]:
    """The disks that have target names, with the indices behind these."""
    return ((entry, target_index(entry.target)) for entry in placed if entry.target is not None)
