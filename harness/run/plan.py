"""The domains of a case without a boot: defined in libvirt, read back, undefined."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import libvirt
from lxml import etree

from harness.domain.placement import DiskSource, Placement
from harness.domain.xml import address_text, disk_target, disks_of, parse_domain
from harness.errors import HostError, Refused
from harness.hypervisor.connection import connect, definition_of, embedded_uri
from harness.hypervisor.host import find_emulator
from harness.hypervisor.roots import held_root
from harness.rescue.naming import RESCUE, map_disks
from harness.rescue.protocol import RunningInstance
from harness.run.cases import Case
from harness.run.preparation import placement_for


@dataclass(frozen=True)
class PlannedDisk:
    """A disk by name with its place in the normal and the rescued domain; '-' where it is not there."""

    name: str
    bus: str
    device: str
    normal_target: str
    normal_address: str
    rescued_target: str
    rescued_address: str


@dataclass(frozen=True)
class Plan:
    """A case's domain XML by state as libvirt completed it, and its disks; ``refusal`` in place of the rescue."""

    normal_xml: str
    rescued_xml: str | None
    unrescued_xml: str | None
    refusal: Refused | None
    disks: tuple[PlannedDisk, ...]


class Planner:
    """Defines domains on one connection."""

    def __init__(self, connection: libvirt.virConnect, emulator: str) -> None:
        self._connection = connection
        self._emulator = emulator

    def plan(self, case: Case) -> Plan:
        """Plan one case.

        Raises:
            HostError: libvirt does not accept the instance.
        """
        scenario = case.point.scenario
        instance = scenario.instance
        placement = self._placement(case)
        try:
            normal_xml = self._read_back(case.implementation.normal(instance, placement))
        except libvirt.libvirtError as error:
            raise HostError(f"{case.id}: libvirt does not accept the instance: {error}") from error
        try:
            running = RunningInstance(instance, placement, normal_xml)
            rescued_xml = self._read_back(case.implementation.rescued(running, scenario.rescue_image))
        except Refused as refused:
            return Plan(normal_xml, None, None, refused, planned_disks(normal_xml, None))
        except libvirt.libvirtError as error:
            refusal = Refused(str(error), refused_by="libvirt")
            return Plan(normal_xml, None, None, refusal, planned_disks(normal_xml, None))
        unrescued_xml = self._read_back(case.implementation.unrescued(normal_xml))
        return Plan(normal_xml, rescued_xml, unrescued_xml, None, planned_disks(normal_xml, rescued_xml))

    def _placement(self, case: Case) -> Placement:
        instance = case.point.scenario.instance
        names = [*(disk.name for disk in map_disks(instance)), RESCUE]
        folder = Path("/instances") / case.point.scenario.name
        sources = {name: DiskSource(folder / name, "raw") for name in names}
        return placement_for(instance, sources, folder, uuid.uuid4(), emulator=self._emulator, domain_type="qemu")

    def _read_back(self, xml: str) -> str:
        domain = self._connection.defineXML(xml)
        try:
            return definition_of(domain)
        finally:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)


@contextmanager
def open_planner() -> Iterator[Planner]:
    """A planner on an embedded hypervisor of its own.

    Raises:
        HostError: QEMU or libvirt is missing or does not work.
    """
    emulator = find_emulator()
    with held_root() as root, connect(embedded_uri(root.path)) as connection:
        yield Planner(connection, emulator)


def planned_disks(normal_xml: str, rescued_xml: str | None) -> tuple[PlannedDisk, ...]:
    """The disks of both domains, in the order of the normal one, what rescue adds last."""
    normal = _disks_by_name(normal_xml)
    rescued = {} if rescued_xml is None else _disks_by_name(rescued_xml)
    return tuple(
        PlannedDisk(
            name, *_kind(normal.get(name, rescued.get(name))), *_place(normal.get(name)), *_place(rescued.get(name))
        )
        for name in [*normal, *(name for name in rescued if name not in normal)]
    )


def _disks_by_name(xml: str) -> dict[str, etree._Element]:
    return {
        Path(source.get("file", "?")).name: disk
        for disk in disks_of(parse_domain(xml))
        if (source := disk.find("source")) is not None
    }


def _kind(disk: etree._Element | None) -> tuple[str, str]:
    return ("-", "-") if disk is None else (disk_target(disk)[1], disk.get("device", "disk"))


def _place(disk: etree._Element | None) -> tuple[str, str]:
    return ("-", "-") if disk is None else (disk_target(disk)[0], address_text(disk))
