"""Checks of a scenario's images against the rest of the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reading.problem import Problem, quoted
from harness.scenario.images import RescueSource, ShippedImage, UserImage, needed_memory_bytes
from harness.scenario.words import MIB, DeviceType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.models import Scenario

_BOOTS_AS_DISK_ONLY = "the image 'minimal', which boots as CD-ROM and floppy, too; as a disk every image boots"


def image_problems(scenario: Scenario) -> Iterator[Problem]:
    """Yield a problem for each image that could not boot in this scenario."""
    instance, rescue = scenario.instance, scenario.rescue_image
    yield from _key_problems("instance", instance.image)
    yield from _key_problems("rescue_image", rescue.image)
    if instance.direct_kernel and instance.image is not ShippedImage.MINIMAL:
        yield Problem(("instance", "direct_kernel"), "a kernel beside an image that has its own", "the image 'minimal'")
    yield from _medium_problems(scenario)
    if rescue.image is RescueSource.DEBIAN:
        needed = needed_memory_bytes(rescue.image, instance.firmware)
        if instance.memory_bytes < needed:
            yield Problem(
                ("instance", "memory"),
                f"{instance.memory_bytes // MIB} MiB for the instance, in which the rescue image has to run",
                f"{needed // MIB} MiB or more",
            )


def _key_problems(where: str, image: ShippedImage | RescueSource | UserImage) -> Iterator[Problem]:
    if not isinstance(image, UserImage):
        return
    if image.ssh == "key" and image.key is None:
        yield Problem((where, "image"), 'the key "key" is missing: the private key that the image lets in')
    if image.ssh == "cloud-init" and image.key is not None:
        found = "a key, where cloud-init puts the run's own in"
        yield Problem((where, "image", "key"), found, "none, or 'ssh: key'")


def _medium_problems(scenario: Scenario) -> Iterator[Problem]:
    instance = scenario.instance
    if instance.is_from_iso and instance.image is ShippedImage.DEBIAN:
        yield Problem(("instance", "image"), 'found "debian", which does not boot as a cdrom', _BOOTS_AS_DISK_ONLY)
    image, device = scenario.rescue_image.image, scenario.rescue_image.properties.hw_rescue_device
    is_disk_image = image is RescueSource.DEBIAN or (
        image is RescueSource.INSTANCE and isinstance(instance.image, ShippedImage) and not instance.is_from_iso
    )
    if (device == DeviceType.CDROM and is_disk_image) or (
        device == DeviceType.FLOPPY and image is not RescueSource.MINIMAL
    ):
        name = image.file if isinstance(image, UserImage) else str(image)
        found = f"found {quoted(name)}, which does not boot as a {device}"
        yield Problem(("rescue_image", "image"), found, _BOOTS_AS_DISK_ONLY)
