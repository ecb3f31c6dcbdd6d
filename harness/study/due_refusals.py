"""Say whether a refusal in a study is due, so that an implementation that refuses everything does not pass.

A refusal is due if the scenario expects it, if the table of combinations has it, or if the instance leaves the rescue
disk no place that keeps all names: the bus is full, or Linux names a disk of the instance like the rescue disk. Then
the reference must refuse it, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.domain.disk_mapping import MappedDisk
from harness.domain.target_names import target_index
from harness.errors import GuestAfter, Refused
from harness.implementation.protocol import RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.implementation.request import RescueRequest, resolve_request
from harness.level.plan import Plan
from harness.scenario.disks import RootDisk
from harness.scenario.words import DeviceType, DiskBus

NOT_DUE = "refused, though neither the scenario nor the table of combinations nor the instance's disks call for it"
_LAST_ON_IDE = 3
_BUSES_OF_OWN_NAMES = (DiskBus.VIRTIO, DiskBus.FDC)


def is_due(plan: Plan, *, is_foreign: bool) -> bool:
    """Return whether a refused plan had to be refused. Only a foreign implementation may have stopped the guest."""
    refusal = plan.refusal
    if refusal is None or (refusal.guest is not GuestAfter.RUNNING and not is_foreign):
        return False
    instance = plan.planned.instance
    try:
        request = resolve_request(instance, plan.image)
    except Refused:
        return True
    if request is None:  # no volume-backed instance has a legacy rescue
        may_be = any(isinstance(disk, RootDisk) and disk.source == "volume" for disk in instance.disks)
    else:
        may_be = may_lack_a_place(plan.planned.placement.mapping.disks, request)
    return may_be and _refused_by_reference(plan)


def may_lack_a_place(disks: Sequence[MappedDisk], request: RescueRequest) -> bool:
    """Return whether an instance's disks can leave a rescue device no place: on a full bus, or among their names."""
    on_bus = [disk for disk in disks if disk.bus is request.bus]
    if request.bus is DiskBus.IDE and any(target_index(disk.target) == _LAST_ON_IDE for disk in on_bus):
        return True
    return request.bus not in _BUSES_OF_OWN_NAMES and any(_is_named_alike(disk, request) for disk in disks)


def _is_named_alike(disk: MappedDisk, request: RescueRequest) -> bool:
    """Return whether Linux counts both among sd, or among sr. libvirt may make a USB CD-ROM a disk, so it is either."""
    if disk.bus in _BUSES_OF_OWN_NAMES:
        return False
    return bool(_name_spaces(disk.bus, disk.device) & _name_spaces(request.bus, request.device))


def _name_spaces(bus: DiskBus, device: DeviceType) -> set[str]:
    if device is DeviceType.CDROM:
        return {"sr", "sd"} if bus is DiskBus.USB else {"sr"}
    return {"sd"}


def _refused_by_reference(plan: Plan) -> bool:
    planned = plan.planned
    running = RunningInstance(planned.instance, planned.placement, planned.normal_xml, planned.steps)
    try:
        Reference().rescued(running, plan.image)
    except Refused:
        return True
    return False
