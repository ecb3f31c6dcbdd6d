"""The reference implementation, which keeps the blueprint's promise.

Blueprint virt-rescue-stable-disk-devices, "Proposed change": the rescue device comes last, boots first, and nothing
else changes. "Problem description" defines the legacy rescue: a rescue disk, then the old root, then the config drive.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from harness.domain.addresses.free_addresses import (
    drop_disabled_usb,
    floppy_place,
    ide_place,
    sata_place,
    scsi_place,
    usb_place,
)
from harness.domain.addresses.pci_places import Place, pci_place
from harness.domain.disk_mapping import (
    MappedDisk,
    target_after,
    with_scsi_units,
)
from harness.domain.disk_names import CONFIG_DRIVE, RESCUE, ROOT
from harness.domain.pinning import pinned, without_boot_order
from harness.domain.placement import Placement
from harness.domain.rendering import NewDisk, render_disk, render_domain
from harness.domain.target_names import NAME_PREFIX, first_free_target, target_name
from harness.domain.xml import boots_from_uefi, devices_of, disk_target, disks_of, parse_domain, serialise
from harness.errors import Refused
from harness.implementation.certain_names import require_certain_names
from harness.implementation.protocol import Implementation, RescuedDomain, RunningInstance
from harness.implementation.request import RescueRequest, resolve_request
from harness.scenario.disks import RootDisk
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import DeviceType, DiskBus, Role


class Reference(Implementation):
    """Pins addresses for a stable rescue, and renders a new domain for a legacy rescue.

    ``leaves_names_to_chance``: a rescue device that makes kernel names uncertain is not refused.
    """

    def __init__(self, *, leaves_names_to_chance: bool = False) -> None:
        self._leaves_names_to_chance = leaves_names_to_chance

    name = "reference"

    def normal(self, instance: Instance, placement: Placement) -> str:
        """The instance's domain, without addresses: libvirt hands them out once."""
        return render_domain(instance, placement.mapping.disks, placement)

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        """Return the rescued domain: stable if the image has hw_rescue_bus or hw_rescue_device, else legacy.

        Raises:
            Refused: the combination is not supported.
        """
        request = resolve_request(running.instance, image)
        if request is None:
            return RescuedDomain(_with_own_variables(_legacy(running), running.placement))
        xml = _stable(running, request)
        if not self._leaves_names_to_chance:
            placement = running.placement
            require_certain_names(placement.mapping.disks, request, usb_cdrom_is_disk=placement.usb_cdrom_is_disk)
        return RescuedDomain(_with_own_variables(xml, running.placement))


def _stable(running: RunningInstance, request: RescueRequest) -> str:
    root = pinned(running.live_xml)
    without_boot_order(root)
    place = _place(root, request)
    taken = [disk_target(disk)[0] for disk in disks_of(root)]
    if place.target_index is None:
        target = target_after(request.bus, taken)
    else:
        target = target_name(NAME_PREFIX[request.bus], place.target_index)
    disk = _rescue_disk(request.bus, request.device, target)
    if request.bus is DiskBus.USB:
        drop_disabled_usb(root)
    element = render_disk(NewDisk(disk, boot_order=1, address=place.address), running.placement)
    devices = devices_of(root)
    last = disks_of(root)[-1]
    devices.insert(devices.index(last) + 1, element)
    for controller in place.controllers:
        devices.append(etree.fromstring(controller))
    return serialise(root)


def _place(root: etree._Element, request: RescueRequest) -> Place:
    match request.bus:
        case DiskBus.VIRTIO:
            return pci_place(root)
        case DiskBus.SCSI:
            return scsi_place(root, uefi=boots_from_uefi(root))
        case DiskBus.SATA:
            return sata_place(root)
        case DiskBus.IDE:
            return ide_place(root)
        case DiskBus.USB:
            return usb_place(root)
        case DiskBus.FDC:
            return floppy_place(root)


def _legacy(running: RunningInstance) -> str:
    instance = running.instance
    root = next(disk for disk in instance.disks if isinstance(disk, RootDisk))
    if root.source == "volume":
        raise Refused("a volume-backed instance has no legacy rescue: set hw_rescue_bus and hw_rescue_device")
    bus = instance.properties.hw_disk_bus
    rescue = _rescue_disk(bus, DeviceType.DISK, first_free_target(bus, ()))
    mapped = running.placement.mapping.by_name
    old_root = replace(mapped[ROOT], target=first_free_target(mapped[ROOT].bus, {rescue.target}))
    disks = [rescue, old_root]
    if CONFIG_DRIVE in mapped:
        config_drive = mapped[CONFIG_DRIVE]
        taken = {disk.target for disk in disks}
        disks.append(replace(config_drive, target=first_free_target(config_drive.bus, taken)))
    return render_domain(instance, with_scsi_units(instance, disks), replace(running.placement, direct_kernel=None))


def _rescue_disk(bus: DiskBus, device: DeviceType, target: str) -> MappedDisk:
    return MappedDisk(RESCUE, Role.ROOT, bus, device, target, boots=True)


def _with_own_variables(xml: str, placement: Placement) -> str:
    """Give the rescue its own UEFI variables, because OVMF rewrites the boot entries by the rescue's boot order."""
    if placement.uefi is None or placement.rescue_variables_path is None:
        return xml
    root = parse_domain(xml)
    nvram = root.find("os/nvram")
    if nvram is not None:
        nvram.text = str(placement.rescue_variables_path)
    return serialise(root)
