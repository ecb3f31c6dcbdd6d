"""Steps on a domain: on the running domain as Nova takes them, or on the definition where nothing runs.

Nova attaches and detaches with both the live and the persistent flag (nova/virt/libvirt/guest.py). For a volume in use
Nova takes an external snapshot without metadata (_volume_snapshot_create). A SCSI disk gets the unit after the last one
(nova/virt/libvirt/driver.py, attach_volume).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import libvirt
from lxml import etree

from harness.domain.disk_mapping import bus_and_device, mapped_disk
from harness.domain.disk_names import attached_volumes, volume_name
from harness.domain.placement import DiskSource
from harness.domain.rendering import NewDisk, render_disk, render_further_interface
from harness.domain.target_names import first_free_target
from harness.domain.xml import DriveAddress, disk_target, disks_of, parse_domain, serialise, source_of
from harness.errors import HostError
from harness.hypervisor.connection import definition_of
from harness.instance.current_instance import CurrentInstance
from harness.scenario.disks import Volume
from harness.scenario.models import Scenario
from harness.scenario.steps import (
    REBOOT,
    AttachNic,
    AttachVolume,
    DetachNic,
    DetachVolume,
    Snapshot,
    Step,
    is_rescue,
    step_label,
)
from harness.scenario.words import DiskBus, ScsiModel

TOKEN_BYTES = 8


class DomainEditor(Protocol):
    """Changes a domain that runs, or one that is only defined."""

    def xml(self) -> str:
        """Return the XML of the domain as it is now."""

    def attach(self, device: etree._Element) -> None:
        """Attach a disk or a NIC."""

    def detach(self, device: etree._Element) -> None:
        """Detach a disk or a NIC."""

    def put_overlay(self, target: str, below: DiskSource, overlay: DiskSource) -> None:
        """Make an overlay on a disk's file, and use the overlay as the disk's file."""

    def write_marker(self, disk: str, token: str) -> None:
        """Write a disk's new marker, as the guest would."""


@dataclass(frozen=True)
class DefinitionEditor:
    """Changes the definition of a domain. ``make_overlay`` makes a file if the disks have files."""

    connection: libvirt.virConnect
    domain: libvirt.virDomain
    make_overlay: Callable[[DiskSource, DiskSource], None] = lambda _below, _overlay: None

    def xml(self) -> str:
        """Return the XML of the definition."""
        return definition_of(self.domain)

    def attach(self, device: etree._Element) -> None:
        """Add a device to the definition."""
        self.domain.attachDeviceFlags(as_text(device), libvirt.VIR_DOMAIN_AFFECT_CONFIG)

    def detach(self, device: etree._Element) -> None:
        """Remove a device from the definition."""
        self.domain.detachDeviceFlags(as_text(device), libvirt.VIR_DOMAIN_AFFECT_CONFIG)

    def put_overlay(self, target: str, below: DiskSource, overlay: DiskSource) -> None:
        """Put the overlay's path and format into the definition."""
        self.make_overlay(below, overlay)
        root = parse_domain(self.xml())
        for disk in disks_of(root):
            if disk_target(disk)[0] == target:
                disk.find("source").set("file", str(overlay.path))  # type: ignore[union-attr]
                disk.find("driver").set("type", overlay.format)  # type: ignore[union-attr]
        self.connection.defineXML(serialise(root))

    def write_marker(self, disk: str, token: str) -> None:
        """Do nothing: if nothing runs, nobody reads markers, and files stand in for their content."""


def volumes_of(scenario: Scenario) -> dict[str, Volume]:
    """The volumes that steps attach, by name."""
    return dict(attached_volumes(scenario.instance, scenario.steps).values())


def changes_definition(steps: tuple[Step, ...]) -> bool:
    """Return whether any of the steps changes the definition."""
    return any(step != REBOOT and not is_rescue(step) for step in steps)


def take_steps(
    steps: tuple[Step, ...],
    *,
    take: Callable[[Step], None],
    rescue: Callable[[int], bool],
    progress: Callable[[str], None] = lambda _phase: None,
) -> bool:
    """Take steps in turn; ``rescue`` carries out the rescues among the steps, and gets the step's position.

    Returns:
        True if all steps were taken. No step is taken after a rescue for which ``rescue`` returned False.
    """
    for position, step in enumerate(steps):
        progress(f"step {position + 1}: {step_label(step)}")
        if is_rescue(step) and not rescue(position):
            return False
        take(step)
    return True


def take(step: Step, current: CurrentInstance, editor: DomainEditor) -> CurrentInstance:
    """Take the next step, and return the changed instance.

    Raises:
        HostError: libvirt does not carry out the step.
        GuestError: the guest does not play its part in time.
    """
    try:
        return _taken(step, current, editor).after(step)
    except libvirt.libvirtError as error:
        raise HostError(
            f"steps.{len(current.steps)}: libvirt does not carry out the step: {error}",
            hint="docs/reference/scenarios.md says which devices a running instance can be given",
        ) from error


def _taken(step: Step, current: CurrentInstance, editor: DomainEditor) -> CurrentInstance:
    match step:
        case AttachVolume():
            return _attach_volume(step.attach, current, editor)
        case AttachNic():
            after = current.with_nic(step.attach.nic)
            editor.attach(render_further_interface(step.attach.nic, after.nics_ever, current.placement))
            return after
        case DetachVolume():
            entry = current.placement.mapping.by_name[step.detach]
            target = disk_target(_disk_of(current, editor, step.detach))[0]
            editor.detach(render_disk(NewDisk(replace(entry, target=target, scsi_unit=None)), current.placement))
            return current.without_volume(step.detach)
        case DetachNic():
            number = step.detach.nic
            editor.detach(render_further_interface(current.nics[number], number, current.placement))
            return current.without_nic(number)
        case Snapshot():
            return _snapshot(step.snapshot, current, editor)
    return current


def _attach_volume(volume: Volume, current: CurrentInstance, editor: DomainEditor) -> CurrentInstance:
    root = parse_domain(editor.xml())
    bus, _ = bus_and_device(current.instance, volume)
    target = volume.device_name or first_free_target(bus, {disk_target(disk)[0] for disk in disks_of(root)})
    own_units = bus is DiskBus.SCSI and current.instance.properties.hw_scsi_model is ScsiModel.VIRTIO_SCSI
    entry = mapped_disk(current.instance, volume, volume_name(volume, current.volumes_ever), target)
    entry = replace(entry, scsi_unit=_next_unit(root) if own_units else None)
    editor.attach(render_disk(NewDisk(entry), current.placement))
    return current.with_volume(volume, entry)


def _next_unit(root: etree._Element) -> int:
    places = (DriveAddress.of(disk) for disk in disks_of(root) if disk_target(disk)[1] == DiskBus.SCSI)
    return max((place.unit for place in places if place is not None), default=-1) + 1


def _snapshot(name: str, current: CurrentInstance, editor: DomainEditor) -> CurrentInstance:
    below = current.placement.sources[name]
    overlay = DiskSource(below.path.with_name(f"{name}-overlay{len(current.steps) + 1}.qcow2"), "qcow2", below=below)
    editor.put_overlay(disk_target(_disk_of(current, editor, name))[0], below, overlay)
    token = secrets.token_hex(TOKEN_BYTES)
    editor.write_marker(name, token)
    return current.with_overlay(name, overlay, token)


def _disk_of(current: CurrentInstance, editor: DomainEditor, name: str) -> etree._Element:
    source = current.placement.sources[name].defined_as
    for disk in disks_of(parse_domain(editor.xml())):
        if source_of(disk) == source:
            return disk
    raise HostError(f"the domain has lost its disk {name}")


def as_text(device: etree._Element) -> str:
    """Return a device's XML as text for libvirt."""
    return etree.tostring(device, encoding="unicode")
