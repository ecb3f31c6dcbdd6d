"""The disks of a plan, each with its place in the normal and in the rescued domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from harness.domain.xml import address_text, disk_target, disks_of, parse_domain, source_of
from harness.evidence.inventory import Inventory, KernelNames
from harness.level.plan import Plan


@dataclass(frozen=True)
class PlannedPlace:
    """A disk in one domain: libvirt's target name and address, and the names Linux may give it."""

    target: str
    address: str
    kernel_names: KernelNames | None


@dataclass(frozen=True)
class PlannedDisk:
    """A disk by its name in the scenario; a state that lacks the disk has None as its place.

    ``bus`` and ``device`` are texts, because an implementation may use any value that libvirt knows.
    """

    name: str
    bus: str
    device: str
    normal: PlannedPlace | None
    rescued: PlannedPlace | None


def planned_disks(plan: Plan) -> tuple[PlannedDisk, ...]:
    """Return the disks in the order of the normal domain; disks that the rescue adds come last."""
    names = plan.planned.sources.disks
    normal = _disks_by_name(plan.planned.normal_xml, names)
    rescued = {} if plan.rescued_xml is None else _disks_by_name(plan.rescued_xml, names)
    return tuple(
        PlannedDisk(
            name,
            disk_target(some)[1],
            some.get("device", "disk"),
            _place(normal.get(name), plan.planned.normal),
            _place(rescued.get(name), plan.rescued),
        )
        for name, some in (normal | {name: disk for name, disk in rescued.items() if name not in normal}).items()
    )


def _disks_by_name(xml: str, names: Mapping[str, str]) -> dict[str, etree._Element]:
    return {names.get(source_of(disk) or "", "?"): disk for disk in disks_of(parse_domain(xml))}


def _place(disk: etree._Element | None, inventory: Inventory | None) -> PlannedPlace | None:
    if disk is None or inventory is None:
        return None
    target = disk_target(disk)[0]
    device = inventory.block_device(target)
    return PlannedPlace(target, address_text(disk), None if device is None else device.predicted)
