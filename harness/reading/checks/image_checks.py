"""Checks of a scenario's images against the rest of the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reading.problem import Problem, quoted
from harness.scenario.images import RescueSource, ShippedImage, UserImage, is_debian, needed_memory_bytes
from harness.scenario.steps import RESCUE, rescues_from
from harness.scenario.words import MIB, DeviceType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.reading.problem import Key
    from harness.scenario.models import Instance, Scenario
    from harness.scenario.rescue_image import RescueImage

_BOOTS_AS_DISK_ONLY = "the image 'minimal', which boots as CD-ROM and floppy, too; as a disk every image boots"


def image_problems(scenario: Scenario) -> Iterator[Problem]:
    """Yield a problem for each image that could not boot in this scenario."""
    instance = scenario.instance
    yield from _key_problems(("instance",), instance.image)
    if instance.direct_kernel and instance.image is not ShippedImage.MINIMAL:
        yield Problem(("instance", "direct_kernel"), "a kernel beside an image that has its own", "the image 'minimal'")
    if instance.is_from_iso and is_debian(instance.image):
        found = f'found "{instance.image}", which does not boot as a cdrom'
        yield Problem(("instance", "image"), found, _BOOTS_AS_DISK_ONLY)
    media: dict[Key, RescueImage] = {("rescue_image",): scenario.rescue_image}
    media |= {("steps", position, RESCUE): image for position, image in rescues_from(scenario.steps).items()}
    for key, medium in media.items():
        yield from _key_problems(key, medium.image)
        yield from _medium_problems(key, medium, instance)


def _medium_problems(key: Key, rescue: RescueImage, instance: Instance) -> Iterator[Problem]:
    yield from _cannot_boot(key, rescue, instance)
    if rescue.image is RescueSource.DEBIAN:
        needed = needed_memory_bytes(rescue.image, instance.firmware)
        if instance.memory_bytes < needed:
            yield Problem(
                ("instance", "memory"),
                f"{instance.memory_bytes // MIB} MiB for the instance, in which the rescue image has to run",
                f"{needed // MIB} MiB or more",
            )


def _key_problems(where: Key, image: ShippedImage | RescueSource | UserImage) -> Iterator[Problem]:
    if not isinstance(image, UserImage):
        return
    if image.ssh == "key" and image.key is None:
        yield Problem((*where, "image"), 'the key "key" is missing: the private key that the image lets in')
    if image.ssh == "cloud-init" and image.key is not None:
        found = "a key, where cloud-init puts the run's own in"
        yield Problem((*where, "image", "key"), found, "none, or 'ssh: key'")


def _cannot_boot(key: Key, rescue: RescueImage, instance: Instance) -> Iterator[Problem]:
    image, device = rescue.image, rescue.properties.hw_rescue_device
    is_disk_image = image is RescueSource.DEBIAN or (
        image is RescueSource.INSTANCE and isinstance(instance.image, ShippedImage) and not instance.is_from_iso
    )
    if (device == DeviceType.CDROM and is_disk_image) or (
        device == DeviceType.FLOPPY and image is not RescueSource.MINIMAL
    ):
        name = image.file if isinstance(image, UserImage) else str(image)
        found = f"found {quoted(name)}, which does not boot as a {device}"
        yield Problem((*key, "image"), found, _BOOTS_AS_DISK_ONLY)
