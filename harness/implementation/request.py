"""The request that a rescue image makes, and the requests that no implementation can honour.

The rules come from the blueprint ("Proposed change") and nova.virt.hardware.check_hw_rescue_props. Defaults come from
the instance's machine, whereas Nova looks at the rescue image's machine.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from harness.domain.disk_mapping import cdrom_bus
from harness.errors import Refused
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage, RescueProperties
from harness.scenario.words import DeviceType, DiskBus, Firmware

_OTHER_HYPERVISORS = ("xen", "lxc", "uml", "parallels")


@dataclass(frozen=True)
class RescueRequest:
    """The requested bus and device type of the rescue medium."""

    bus: DiskBus
    device: DeviceType


def requests_stable_devices(properties: RescueProperties) -> bool:
    """Return whether the image has either property, and so asks for the stable behaviour."""
    return properties.hw_rescue_bus is not None or properties.hw_rescue_device is not None


def resolve_request(instance: Instance, image: RescueImage) -> RescueRequest | None:
    """Return the request with its defaults filled in, or None for a legacy rescue.

    Raises:
        Refused: a value is no bus or device, or the combination cannot exist on this instance.
    """
    properties = image.properties
    if not requests_stable_devices(properties):
        return None
    if instance.properties.img_hv_type in _OTHER_HYPERVISORS:
        raise Refused(
            f"stable device rescue is not supported on {instance.properties.img_hv_type}", refused_by="blueprint"
        )
    device = _device(properties.hw_rescue_device)
    bus = _bus(properties.hw_rescue_bus, "hw_rescue_bus") or _default_bus(device, instance, properties)
    request = RescueRequest(bus, device)
    _refuse_impossible(request, instance)
    return request


def request_or_none(instance: Instance, image: RescueImage) -> RescueRequest | None:
    """Return the request, or None for a legacy rescue and for a request that would be refused."""
    try:
        return resolve_request(instance, image)
    except Refused:
        return None


def _device(value: str | None) -> DeviceType:
    if value is None:
        return DeviceType.DISK
    try:
        return DeviceType(value)
    except ValueError:
        devices = [str(device) for device in DeviceType if device is not DeviceType.LUN]
        raise Refused(_no_such("hw_rescue_device", value, devices)) from None


def _bus(value: str | None, key: str) -> DiskBus | None:
    if value is None:
        return None
    if value in _OTHER_HYPERVISORS:
        raise Refused(f"{key} '{value}': stable device rescue is not supported on {value}", refused_by="blueprint")
    try:
        return DiskBus(value)
    except ValueError:
        raise Refused(_no_such(key, value, list(DiskBus))) from None


def _no_such(key: str, value: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(value.lower(), allowed, n=1)
    suggestion = f'; did you mean "{near[0]}"?' if near else ""
    return f"{key} '{value}' is none of {', '.join(allowed)}{suggestion}"


def _default_bus(device: DeviceType, instance: Instance, properties: RescueProperties) -> DiskBus:
    match device:
        case DeviceType.DISK | DeviceType.LUN:
            return _bus(properties.hw_disk_bus, "hw_disk_bus") or instance.properties.hw_disk_bus
        case DeviceType.CDROM:
            return _bus(properties.hw_cdrom_bus, "hw_cdrom_bus") or cdrom_bus(instance)
        case DeviceType.FLOPPY:
            return instance.properties.hw_floppy_bus


def _refuse_impossible(request: RescueRequest, instance: Instance) -> None:
    bus, device = request.bus, request.device
    if device is DeviceType.LUN:
        raise Refused(
            "hw_rescue_device 'lun' needs a block device to pass through, a rescue image is a file",
            refused_by="libvirt",
        )
    if (bus is DiskBus.FDC) != (device is DeviceType.FLOPPY):
        raise Refused(f"a {device} cannot be on bus {bus}: floppies, and only they, are on fdc", refused_by="libvirt")
    if bus is DiskBus.VIRTIO and device is not DeviceType.DISK:
        raise Refused(f"a virtio {device} does not exist: virtio-blk has no ejectable media", refused_by="libvirt")
    if bus is DiskBus.IDE and instance.is_q35:
        raise Refused(f"bus ide does not exist on {instance.machine_type}: it has no IDE controller", refused_by="QEMU")
    if device is DeviceType.FLOPPY and instance.firmware is Firmware.UEFI:
        raise Refused(
            "a floppy cannot boot under UEFI: OVMF has no floppy driver and would boot the old root",
            refused_by="OVMF",
        )
