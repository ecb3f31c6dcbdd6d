"""What instance and rescue medium are made from: an image of the harness's own, or a file of the user's."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from harness.frozen import Frozen
from harness.scenario.words import MIB, Firmware

IMAGES_AT = (("instance", "image"), ("rescue_image", "image"))
"""Keys whose value is a word or a mapping."""


class ShippedImage(StrEnum):
    """Images the harness builds: its own small guest, and a Debian with systemd and udev, on a partition or volumes."""

    MINIMAL = "minimal"
    DEBIAN = "debian"
    DEBIAN_ON_VOLUMES = "debian-on-volumes"


class RescueSource(StrEnum):
    """A shipped image in its rescue variant; the instance's image, which Nova takes where none is named; or no system.

    Nothing boots from ``blank``, a disk of zeros, or from ``data-iso``, an ISO 9660 image without a boot record.
    """

    MINIMAL = "minimal"
    DEBIAN = "debian"
    INSTANCE = "instance"
    BLANK = "blank"
    DATA_ISO = "data-iso"


class UserImage(Frozen):
    """A raw or qcow2 image of the user's, which is never written to. Paths count from the scenario file's folder."""

    file: str = Field(min_length=1, description="the path of the image")
    user: str = Field(
        default="root",
        min_length=1,
        description="the user who logs in; another than root needs 'sudo' without a password",
    )
    ssh: Literal["key", "cloud-init"] = Field(
        description="'key': the image lets in a key of yours; 'cloud-init': the image's cloud-init puts the run's key"
        " in, for a 'user' who exists or is made, with 'sudo'"
    )
    key: str | None = Field(
        default=None, min_length=1, description="the path of the private key for 'ssh: key', without a passphrase"
    )


def _form(value: Any) -> str:
    return "file" if isinstance(value, dict | UserImage) else "name"


InstanceImage = Annotated[
    Annotated[ShippedImage, Tag("name")] | Annotated[UserImage, Tag("file")], Discriminator(_form)
]
RescueMedium = Annotated[Annotated[RescueSource, Tag("name")] | Annotated[UserImage, Tag("file")], Discriminator(_form)]


def is_debian(image: ShippedImage | RescueSource | UserImage) -> bool:
    """Return whether an image is one of the harness's Debian images, which are built only when they are needed."""
    return image in (ShippedImage.DEBIAN, ShippedImage.DEBIAN_ON_VOLUMES, RescueSource.DEBIAN)


def needed_memory_bytes(image: ShippedImage | RescueSource | UserImage, firmware: Firmware) -> int:
    """Return the memory of a guest of this image if the scenario names none; OVMF can't place a kernel in 256 MiB."""
    if isinstance(image, UserImage):
        return 1024 * MIB
    if is_debian(image):
        return 512 * MIB
    return (384 if firmware is Firmware.UEFI else 256) * MIB
