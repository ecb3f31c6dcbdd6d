"""The resources of a run that the instances of all its cases share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.guest.keys import RunKey
from harness.hypervisor.host import Hypervisor
from harness.image import ImageSet
from harness.image.debian import DebianSet
from harness.implementation.registry import Implementations
from harness.instance.media_server import MediaServer


@dataclass(frozen=True)
class Resources:
    """Images, hypervisor, key, media server, and the implementations under test by name.

    ``images`` and ``media`` are None if no case goes beyond level plan. ``debian`` returns the Debian disks; its first
    call builds them if necessary.
    """

    images: ImageSet | None
    hypervisor: Hypervisor
    key: RunKey
    media: MediaServer | None
    debian: Callable[[], DebianSet]
    implementations: Implementations
