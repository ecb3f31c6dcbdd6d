"""Hold the facts about a case that the harness knows without looking into the guest."""

from __future__ import annotations

from pydantic import Field

from harness.frozen import Frozen
from harness.scenario.words import DeviceType, DiskBus

RESCUE = "rescue"


class Expected(Frozen):
    """The planted markers, and the requested rescue device.

    ``tokens`` maps each disk of the instance, and ``rescue``, to the token of its marker. ``rescue_bus`` and
    ``rescue_device`` are None if nothing was requested, as in legacy rescue. ``written`` maps a disk to the data token
    that was written to it while the instance was rescued. ``read_only`` names the disks that nobody can have written
    to. ``direct_kernel``: QEMU starts the instance's kernel itself. ``same_image``: the rescue medium is made from the
    instance's image, so the image's own description cannot tell the two apart.
    """

    tokens: dict[str, str]
    root: str = "root"
    rescue_bus: DiskBus | None = None
    rescue_device: DeviceType | None = None
    direct_kernel: bool = False
    same_image: bool = False
    written: dict[str, str] = Field(default_factory=dict)
    read_only: frozenset[str] = frozenset()

    @property
    def disks(self) -> tuple[str, ...]:
        """Return the instance's disks by name, without the rescue medium."""
        return tuple(disk for disk in self.tokens if disk != RESCUE)


class ByteRange(Frozen):
    """Bytes of a disk from ``start_bytes`` up to but not including ``end_bytes``."""

    start_bytes: int
    end_bytes: int

    def __str__(self) -> str:
        return f"bytes {self.start_bytes}-{self.end_bytes - 1}"


class HostEvidence(Frozen):
    """Facts that only the host can see after the instance is unrescued; None means not looked at.

    ``domain_xml_equal``: the redefined domain is byte for byte the XML saved before the rescue. ``nvram_equal``: so
    are the UEFI variables. ``recorded`` is the instance's state in the implementation's own record, rescued and
    unrescued. ``left_over`` and ``lost`` name the files that the instance's folder has since the rescue, and those that
    it has no more. ``base_images`` names the base images that have changed. ``changes``: by disk, the ranges that
    differ from before the rescue although nobody was meant to write there.
    """

    domain_xml_equal: bool | None = None
    nvram_equal: bool | None = None
    recorded: tuple[str | None, str | None] = (None, None)
    left_over: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    base_images: tuple[str, ...] = ()
    changes: dict[str, tuple[ByteRange, ...]] = Field(default_factory=dict)
