"""List the deliberate differences between the reference and Nova at mapping level, each with its condition and source.

Outside these rules the two agree, as ``tests/system/test_nova_agreement.py`` shows. ``docs/nova/differences.md`` has
the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.domain.disk_mapping import cdrom_bus, map_disks
from harness.domain.disk_names import ROOT
from harness.errors import Refused
from harness.implementation.certain_names import require_certain_names
from harness.implementation.request import request_or_none, requests_stable_devices
from harness.scenario.disks import ConfigDrive, Disk, RootDisk, Volume
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import DeviceType, DiskBus, Firmware, Role

from .agreement import Aspect

_NOVAS_USB_MODELS = ("nec-xhci", "qemu-xhci")
_ATA = (DiskBus.SATA, DiskBus.IDE)


@dataclass(frozen=True)
class Rule:
    """Describe a deliberate difference: if ``holds`` is true, the two may differ in ``aspects`` and in nothing else."""

    name: str
    holds: Callable[[Instance, RescueImage], bool]
    aspects: frozenset[Aspect]
    nova: str
    reference: str
    source: str


def excused(instance: Instance, image: RescueImage) -> dict[Aspect, list[Rule]]:
    """Return the aspects in which the two may differ for this rescue, each with the rules that allow it."""
    found: dict[Aspect, list[Rule]] = {}
    for rule in RULES:
        if rule.holds(instance, image):
            for aspect in rule.aspects:
                found.setdefault(aspect, []).append(rule)
    return found


def rules_table() -> str:
    """Return the rules as a Markdown table."""
    lines = ["| rule | they differ in | Nova | reference | source |", "| --- | --- | --- | --- | --- |"]
    for rule in RULES:
        aspects = "; ".join(aspect for aspect in Aspect if aspect in rule.aspects)
        lines.append(f"| `{rule.name}` | {aspects} | {rule.nova} | {rule.reference} | {rule.source} |")
    return "\n".join(lines) + "\n"


def _is_legacy(image: RescueImage) -> bool:
    return not requests_stable_devices(image.properties)


def _root(instance: Instance) -> RootDisk:
    return next(disk for disk in instance.disks if isinstance(disk, RootDisk))


def _usb_model(instance: Instance, _image: RescueImage) -> bool:
    model = instance.properties.hw_usb_model
    return model is not None and model not in _NOVAS_USB_MODELS


def _uefi(instance: Instance, _image: RescueImage) -> bool:
    return instance.firmware is Firmware.UEFI


def _asks_for_names(instance: Instance, _image: RescueImage) -> bool:
    return any(isinstance(disk, Volume) and disk.device_name is not None for disk in instance.disks)


def _has_a_cdrom_volume_by_default(instance: Instance, _image: RescueImage) -> bool:
    return instance.properties.hw_disk_bus is not cdrom_bus(instance) and any(
        isinstance(disk, Volume) and disk.device is DeviceType.CDROM and disk.bus is None for disk in instance.disks
    )


def _boots_another_disk(instance: Instance, _image: RescueImage) -> bool:
    """Whether libvirt finds another disk before the root volume: it groups disks by bus, in the order of the buses."""
    if _root(instance).source != "volume":
        return False
    kinds = {mapped.name: (mapped.bus, mapped.device) for mapped in map_disks(instance).disks}
    buses: list[DiskBus] = []
    for name in _names_as_nova_lists_them(instance):
        bus = kinds[name][0]
        if bus not in buses:
            buses.append(bus)
    first = next(bus for bus in buses if any(kind == (bus, DeviceType.DISK) for kind in kinds.values()))
    return first is not kinds[ROOT][0]


def _names_as_nova_lists_them(instance: Instance) -> Iterator[str]:
    """LibvirtDriver._get_guest_storage_config: what Nova makes itself, the config drive, then volumes."""
    named = list(zip(instance.disks, (mapped.name for mapped in map_disks(instance).disks), strict=True))

    def group(disk: Disk) -> int:
        if isinstance(disk, Volume) or (isinstance(disk, RootDisk) and disk.source == "volume"):
            return 4
        return (Role.ROOT, Role.EPHEMERAL, Role.SWAP, Role.CONFIG_DRIVE).index(Role(disk.role))

    return iter([name for _, name in sorted(named, key=lambda each: group(each[0]))])


def _has_kernel(instance: Instance, _image: RescueImage) -> bool:
    return instance.direct_kernel


def _default_disk_bus(instance: Instance, image: RescueImage) -> bool:
    properties = image.properties
    return (
        not _is_legacy(image)
        and properties.hw_rescue_bus is None
        and properties.hw_rescue_device in (None, "disk")
        and properties.hw_disk_bus is None
        and instance.properties.hw_disk_bus is not DiskBus.VIRTIO
    )


def _default_cdrom_bus(instance: Instance, image: RescueImage) -> bool:
    properties = image.properties
    return (
        properties.hw_rescue_bus is None
        and properties.hw_rescue_device == "cdrom"
        and properties.hw_cdrom_bus is None
        and cdrom_bus(instance) != _novas_cdrom_bus(image)
    )


def _novas_cdrom_bus(image: RescueImage) -> str:
    properties = image.properties
    return properties.hw_cdrom_bus or ("sata" if "q35" in (properties.hw_machine_type or "") else "ide")


def _beside_an_ide_disk(instance: Instance, image: RescueImage) -> bool:
    request = request_or_none(instance, image)
    on_ide = [disk for disk in map_disks(instance).disks if disk.bus is DiskBus.IDE]
    return request is not None and request.bus is DiskBus.IDE and len(on_ide) == 1


def _floppy_under_uefi(instance: Instance, image: RescueImage) -> bool:
    properties = image.properties
    return (
        instance.firmware is Firmware.UEFI
        and properties.hw_rescue_device == "floppy"
        and properties.hw_rescue_bus in (None, "fdc")
    )


def _makes_a_name_uncertain(instance: Instance, image: RescueImage) -> bool:
    request = request_or_none(instance, image)
    if request is None:
        return False
    for usb_cdrom_is_disk in (True, False):
        try:
            require_certain_names(map_disks(instance).disks, request, usb_cdrom_is_disk=usb_cdrom_is_disk)
        except Refused:
            return True
    return False


def _found_too_late(instance: Instance, image: RescueImage) -> bool:
    return not _is_legacy(image)


def _image_of_another_hypervisor(instance: Instance, image: RescueImage) -> bool:
    return instance.properties.img_hv_type == "xen" and not _is_legacy(image)


def _legacy_disk_bus(instance: Instance, image: RescueImage) -> bool:
    novas = image.properties.hw_disk_bus or "virtio"
    kinds = {mapped.name: mapped for mapped in map_disks(instance).disks}
    buses = {str(instance.properties.hw_disk_bus), str(kinds[ROOT].bus)}
    return _is_legacy(image) and not instance.is_from_iso and buses != {novas}


def _legacy_on_a_bus_that_is_not_there(instance: Instance, image: RescueImage) -> bool:
    return _is_legacy(image) and instance.is_q35 and instance.properties.hw_disk_bus is DiskBus.IDE


def _legacy_config_drive(instance: Instance, image: RescueImage) -> bool:
    return _is_legacy(image) and any(isinstance(disk, ConfigDrive) for disk in instance.disks)


def _legacy_iso_root(instance: Instance, image: RescueImage) -> bool:
    return _is_legacy(image) and instance.is_from_iso


def _legacy_machine(instance: Instance, image: RescueImage) -> bool:
    properties = image.properties
    if not _is_legacy(image) or "q35" not in (properties.hw_machine_type or ""):
        return False
    drives = {disk.format for disk in instance.disks if isinstance(disk, ConfigDrive)}
    return properties.hw_disk_bus == "ide" or ("iso9660" in drives and properties.hw_cdrom_bus == "ide")


def _one_property_of_a_volume(instance: Instance, image: RescueImage) -> bool:
    properties = image.properties
    has_one = (properties.hw_rescue_bus is None) != (properties.hw_rescue_device is None)
    return has_one and _root(instance).source == "volume"


def _rule(
    name: str, holds: Callable[[Instance, RescueImage], bool], *aspects: Aspect, nova: str, reference: str, source: str
) -> Rule:
    return Rule(name, holds, frozenset(aspects), nova, reference, source)


_DEVICE = (Aspect.RESCUE_KIND, Aspect.RESCUE_TARGET, Aspect.REFUSAL)
RULES: tuple[Rule, ...] = (
    _rule(
        "usb-controller-model",
        _usb_model,
        Aspect.INSTANCE,
        nova="knows xHCI controllers only, and refuses the instance",
        reference="accepts libvirt's older models as well",
        source="`objects.fields.USBControllerModelType`",
    ),
    _rule(
        "uefi-loader",
        _uefi,
        Aspect.FIRMWARE,
        nova="gives `<loader secure=...>` beside firmware autoselection, which libvirt 9.0 refuses",
        reference="names loader and variables itself",
        source="`LibvirtDriver._configure_guest_by_virt_type`, from 33 on",
    ),
    _rule(
        "asked-for-names",
        _asks_for_names,
        Aspect.TARGETS,
        Aspect.ORDER,
        Aspect.RESCUE_TARGET,
        nova="ignores the name that the scenario asks for",
        reference="gives the volume that name, so that a scenario has gaps without hot-plugging, and names the rescue"
        " disk behind the highest name",
        source="`LibvirtDriver.default_device_names_for_instance`",
    ),
    _rule(
        "cdrom-volume",
        _has_a_cdrom_volume_by_default,
        Aspect.TARGETS,
        Aspect.KINDS,
        Aspect.ORDER,
        Aspect.RESCUE_TARGET,
        Aspect.REFUSAL,
        Aspect.GUEST,
        nova="puts a CD-ROM volume on the bus of CD-ROMs, unless the volume is given a bus",
        reference="puts it on `hw_disk_bus`, like any volume of a scenario that names no bus",
        source="`blockinfo.get_info_from_bdm`; [scenarios.md](../reference/scenarios.md)",
    ),
    _rule(
        "volume-listed-last",
        _boots_another_disk,
        Aspect.BOOT,
        nova="lists a root volume behind disks of its own, and has libvirt boot the first disk, not always the root",
        reference="lists the root first",
        source="`LibvirtDriver._get_guest_storage_config`",
    ),
    _rule(
        "own-kernel",
        _has_kernel,
        Aspect.RESCUE_BOOT,
        nova="starts the instance's kernel again",
        reference="leaves the kernel out, and the firmware boots the rescue disk",
        source="blueprint: the rescue device is booted",
    ),
    _rule(
        "default-disk-bus",
        _default_disk_bus,
        *_DEVICE,
        Aspect.GUEST,
        nova="uses virtio, unless the rescue image has `hw_disk_bus`",
        reference="uses the instance's `hw_disk_bus`, unless the rescue image has one",
        source="`blockinfo.get_rescue_bus`; blueprint: the default bus would match `hw_disk_bus`",
    ),
    _rule(
        "default-cdrom-bus",
        _default_cdrom_bus,
        *_DEVICE,
        Aspect.GUEST,
        nova="chooses by the rescue image's machine type",
        reference="chooses by the instance's properties and machine type",
        source="`blockinfo.get_disk_bus_for_device_type`",
    ),
    _rule(
        "ide-channel",
        _beside_an_ide_disk,
        Aspect.RESCUE_TARGET,
        nova="gives the first free name, beside the instance's disk on that channel",
        reference="gives a channel of its own, because udev's links name the channel",
        source="`blockinfo.find_disk_dev_for_disk_bus`; systemd, `udev-builtin-path_id.c`",
    ),
    _rule(
        "floppy-under-uefi",
        _floppy_under_uefi,
        Aspect.REFUSAL,
        nova="accepts the floppy, and the old root boots",
        reference="refuses",
        source="blueprint: the rescue device is booted; OVMF has no floppy driver",
    ),
    _rule(
        "kernel-name",
        _makes_a_name_uncertain,
        Aspect.REFUSAL,
        nova="accepts the rescue, and the names of the instance's disks in Linux are left to chance",
        reference="refuses if Linux names disks of the instance and the rescue disk as they arrive",
        source="blueprint: device names stay; see"
        " [reference-implementation.md](../design/reference-implementation.md#refusals)",
    ),
    _rule(
        "found-too-late",
        _found_too_late,
        Aspect.GUEST,
        nova="refuses, or libvirt refuses, when the guest is already off",
        reference="refuses while the guest runs",
        source="`LibvirtDriver.rescue`: `_destroy` comes before `_create_guest`",
    ),
    _rule(
        "other-hypervisor",
        _image_of_another_hypervisor,
        Aspect.REFUSAL,
        nova="looks at its own `virt_type` only",
        reference="refuses an instance whose `img_hv_type` is another hypervisor's",
        source="`LibvirtDriver.rescue`; blueprint: not supported on Xen and LXC",
    ),
    _rule(
        "legacy-disk-bus",
        _legacy_disk_bus,
        Aspect.RESCUE_KIND,
        Aspect.RESCUE_TARGET,
        Aspect.KEPT,
        nova="puts rescue disk and old root on the rescue image's `hw_disk_bus`, by default virtio",
        reference="puts the rescue disk on the instance's `hw_disk_bus`, and leaves the root where it was",
        source="`blockinfo._get_rescue_disk_mapping`",
    ),
    _rule(
        "legacy-missing-bus",
        _legacy_on_a_bus_that_is_not_there,
        Aspect.REFUSAL,
        Aspect.GUEST,
        nova="does not look at the instance's `hw_disk_bus`",
        reference="lets libvirt refuse if the machine lacks that bus and no disk of the instance is on it",
        source="`LibvirtDriver.rescue`: `image_meta` is the rescue image's",
    ),
    _rule(
        "legacy-config-drive",
        _legacy_config_drive,
        Aspect.KEPT,
        nova="makes a new config drive, on the bus that the rescue image's properties give, named beside the root",
        reference="keeps the instance's own config drive on its bus",
        source="`blockinfo._get_rescue_disk_mapping`",
    ),
    _rule(
        "legacy-iso-root",
        _legacy_iso_root,
        Aspect.RESCUE_KIND,
        Aspect.RESCUE_TARGET,
        Aspect.KEPT,
        nova="makes the root of an ISO image a disk on `hw_disk_bus`",
        reference="leaves it a CD-ROM",
        source="`blockinfo._get_rescue_disk_mapping`",
    ),
    _rule(
        "legacy-machine",
        _legacy_machine,
        Aspect.REFUSAL,
        Aspect.GUEST,
        nova="makes the machine of the rescue image, which may lack the bus that the rescue image asks for",
        reference="keeps the instance's machine",
        source="`LibvirtDriver.rescue`: `image_meta` is the rescue image's",
    ),
    _rule(
        "volume-needs-both",
        _one_property_of_a_volume,
        Aspect.REFUSAL,
        nova="nova-api refuses a volume-backed instance unless the image has both properties",
        reference="accepts one property, as for any other instance",
        source="`compute.api.API.rescue`; blueprint *virt-bfv-instance-rescue*",
    ),
)
