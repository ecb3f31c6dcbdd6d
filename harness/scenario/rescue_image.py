"""The medium that an instance is rescued with, as a user writes it in a scenario file."""

from __future__ import annotations

from pydantic import Field

from harness.frozen import Frozen
from harness.scenario.images import RescueMedium, RescueSource


class RescueProperties(Frozen):
    """Properties of the rescue image. With neither 'hw_rescue_bus' nor 'hw_rescue_device' the rescue is a legacy one.

    The values are free text. The implementation under test must refuse a wrong one, and a scenario can expect that.
    """

    hw_rescue_bus: str | None = Field(
        default=None,
        description="the bus of the rescue device",
        examples=["virtio", "ide", "usb", "scsi", "sata", "fdc"],
    )
    hw_rescue_device: str | None = Field(
        default=None, description="the type of the rescue device", examples=["disk", "cdrom", "floppy"]
    )
    hw_disk_bus: str | None = Field(
        default=None, description="the bus of a rescue disk without 'hw_rescue_bus'; default: the instance's"
    )
    hw_cdrom_bus: str | None = Field(
        default=None, description="the bus of a rescue CD-ROM without 'hw_rescue_bus'; default: the instance's"
    )
    hw_machine_type: str | None = Field(
        default=None,
        description="Nova uses it to choose a CD-ROM's bus, and in a legacy rescue; the reference ignores it",
    )
    hw_scsi_model: str | None = Field(
        default=None, description="the reference ignores it, and so does Nova in a stable rescue"
    )


class RescueImage(Frozen):
    """The medium that the instance is rescued with."""

    image: RescueMedium = Field(
        default=RescueSource.MINIMAL,
        description="the source of the medium: an image of the harness, the instance's own image, or a file",
    )
    properties: RescueProperties = Field(default=RescueProperties(), description="properties of the rescue image")
