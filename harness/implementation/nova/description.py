"""A scenario's instance in Nova's words: image properties, flavor, block device mapping, ports, nova.conf."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.domain.disk_mapping import MappedDisk
from harness.domain.disk_names import CONFIG_DRIVE, RESCUE, ROOT
from harness.domain.placement import Placement
from harness.domain.rendering import further_mac
from harness.implementation.asking import not_asked_for
from harness.implementation.nova.messages import BlockDevice, NovaInstance, Port
from harness.scenario.disks import ConfigDrive, Disk, EphemeralDisk, RootDisk, SwapDisk, Volume
from harness.scenario.images import RescueSource, UserImage
from harness.scenario.models import Instance, Scenario
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import MIB, DeviceType, Firmware, OtherDevice, Role

_PROPERTIES_BY_DEVICE = {
    OtherDevice.RNG: ("hw_rng_model", "virtio"),
    OtherDevice.WATCHDOG: ("hw_watchdog_action", "none"),
    OtherDevice.KEYBOARD: ("hw_input_bus", "usb"),
}
_EXTRA_SPECS_BY_DEVICE = {OtherDevice.RNG: ("hw_rng:allowed", "True")}
_NOT_TO_BE_HAD = {
    OtherDevice.SHARE: "a 9p share, for its shares are virtiofs",
    OtherDevice.SERIAL: "a second serial port without a console behind it",
    OtherDevice.VIRTIOFS: "a share, for which it asks Manila",
    OtherDevice.VSOCK: "a vsock",
}


@dataclass(frozen=True)
class Asked:
    """A request to Nova: an instance, and options of nova.conf."""

    instance: NovaInstance
    configuration: dict[str, str | bool | int]


def asked_of_nova(instance: Instance, placement: Placement) -> Asked:
    """Translate an instance into a request to Nova.

    Raises:
        NotAskedError: Nova has no word for something in it.
    """
    require_words_for(instance)
    config_drive = next((disk for disk in instance.disks if isinstance(disk, ConfigDrive)), None)
    swap = next((disk for disk in instance.disks if isinstance(disk, SwapDisk)), None)
    root = next(disk for disk in instance.disks if isinstance(disk, RootDisk))
    configuration: dict[str, str | bool | int] = {}
    if config_drive is not None:
        configuration["config_drive_format"] = config_drive.format
    if instance.properties.hw_pointer_model != "usbtablet":
        configuration["pointer_model"] = instance.properties.hw_pointer_model
    described = NovaInstance(
        uuid=placement.uuid,
        memory_mib=instance.memory_bytes // MIB,
        swap_mib=0 if swap is None else _mib(swap.size_bytes),
        properties=_image_properties(instance),
        extra_specs=dict(_EXTRA_SPECS_BY_DEVICE[each] for each in instance.devices if each in _EXTRA_SPECS_BY_DEVICE),
        disk_format="iso" if root.device is DeviceType.CDROM else "qcow2",
        boots_from_volume=root.source == "volume",
        has_kernel=instance.direct_kernel,
        has_config_drive=config_drive is not None,
        nics=tuple(_ports(instance, placement)),
        disks=tuple(_block_devices(placement)),
    )
    return Asked(described, configuration)


def rescue_properties(image: RescueImage) -> dict[str, str] | None:
    """Return the rescue image's properties as the scenario writes them; Nova interprets them.

    Return None if the medium is the unchanged image of the instance: a user then names no rescue image.
    """
    if image.image is RescueSource.INSTANCE and not image.properties.model_fields_set:
        return None
    return {key: str(value) for key, value in image.properties.model_dump(exclude_none=True).items()}


def volume_id(placement: Placement, name: str) -> str:
    """The id that Nova knows a volume by."""
    return _volume_id(placement.mapping.by_name[name], placement)


def disks_by_source(placement: Placement, instances_path: Path) -> dict[str, str]:
    """Return the disk behind each file in Nova's domains. Nova names the files that it makes (imagebackend, blockinfo).

    The config drive that Nova makes for a legacy rescue is none of the instance's disks, and carries no marker.
    """
    folder = instances_path / placement.uuid
    found = {str(folder / "disk.rescue"): RESCUE}
    ephemerals = placement.mapping.of_role(Role.EPHEMERAL)
    for disk, mapped in placement.mapping.pairs:
        match disk:
            case Volume() | RootDisk(source="volume"):
                found[str(placement.sources[mapped.name].path)] = mapped.name
            case RootDisk():
                found[str(folder / "disk")] = ROOT
            case EphemeralDisk():
                found[str(folder / f"disk.eph{ephemerals.index(mapped)}")] = mapped.name
            case SwapDisk():
                found[str(folder / "disk.swap")] = mapped.name
            case ConfigDrive():
                found[str(folder / "disk.config")] = CONFIG_DRIVE
    return found


def require_words_for(instance: Instance) -> None:
    """Check that Nova has a word for everything in an instance.

    Raises:
        Refused: Nova has no word for a part of the instance.
    """
    lacking = next((device for device in instance.devices if device in _NOT_TO_BE_HAD), None)
    if lacking is not None:
        raise not_asked_for("Nova", _NOT_TO_BE_HAD[lacking])
    if instance.properties.hw_tpm_version is not None:
        raise not_asked_for("Nova", "a TPM, for whose secret it asks a key manager")
    other = next((model for model in instance.nics if model is not instance.properties.hw_vif_model), None)
    if other is not None:
        raise not_asked_for("Nova", f"NICs of different models ({instance.properties.hw_vif_model} and {other})")


def require_guests_for(scenario: Scenario) -> None:
    """Check that a scenario's guests need no block device of the host, and that the harness can enter them.

    Raises:
        NotAskedError: a LUN needs a block device, or an image is entered by way of cloud-init.
    """
    if any(isinstance(disk, Volume) and disk.device is DeviceType.LUN for disk in scenario.instance.disks):
        raise not_asked_for("Nova", "a guest with a LUN, for which it has os-brick connect an iSCSI target")
    if any(isinstance(image, UserImage) and image.ssh == "cloud-init" for image in scenario.images):
        raise not_asked_for("Nova", "images that are entered by way of cloud-init")


def _image_properties(instance: Instance) -> dict[str, str]:
    """Return the properties that the scenario states, without those that it leaves to Nova's defaults."""
    written = instance.properties.model_dump(exclude_unset=True, exclude_none=True, exclude={"hw_pointer_model"})
    properties = {key: str(value) for key, value in written.items()}
    if instance.machine is not None:
        properties["hw_machine_type"] = instance.machine
    if instance.firmware is Firmware.UEFI:
        properties["hw_firmware_type"] = "uefi"
    properties |= dict(_PROPERTIES_BY_DEVICE[each] for each in instance.devices if each in _PROPERTIES_BY_DEVICE)
    return properties


def _ports(instance: Instance, placement: Placement) -> Iterator[Port]:
    for number in range(1 + len(instance.nics)):
        mac = placement.mac if number == 0 else further_mac(placement.mac, number)
        yield Port(port_id=str(uuid.uuid5(uuid.UUID(placement.uuid), mac)), mac=mac)


def _block_devices(placement: Placement) -> Iterator[BlockDevice]:
    for disk, mapped in placement.mapping.pairs:
        if not isinstance(disk, ConfigDrive):
            yield _block_device(disk, mapped, placement)


def _block_device(disk: Disk, mapped: MappedDisk, placement: Placement) -> BlockDevice:
    bus = None if isinstance(disk, ConfigDrive) or disk.bus is None else str(disk.bus)
    is_volume = isinstance(disk, Volume) or (isinstance(disk, RootDisk) and disk.source == "volume")
    serial = mapped.serial or mapped.name
    return BlockDevice(
        role=Role(disk.role),
        bus=bus,
        device=str(disk.device) if isinstance(disk, Volume) else "disk",
        device_name=None if isinstance(disk, ConfigDrive) or disk.device_name is None else f"/dev/{disk.device_name}",
        size_mib=_mib(disk.size_bytes) if isinstance(disk, EphemeralDisk | SwapDisk | Volume) else 1,
        volume_path=str(placement.sources[mapped.name].path) if is_volume else None,
        volume_id=_volume_id(mapped, placement) if is_volume else None,
        serial=serial if is_volume else None,
    )


def _volume_id(mapped: MappedDisk, placement: Placement) -> str:
    return str(uuid.uuid5(uuid.UUID(placement.uuid), mapped.serial or mapped.name))


def _mib(size_bytes: int) -> int:
    return max(1, size_bytes // MIB)
