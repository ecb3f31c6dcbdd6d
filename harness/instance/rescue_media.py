"""The rescue media of a case: that of the rescue under test, and those of rescues among the steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.placement import DiskSource
from harness.guest.login import Login
from harness.image.content import ImageContent
from harness.implementation.request import RescueRequest
from harness.scenario.rescue_image import RescueImage


@dataclass(frozen=True)
class Medium:
    """A rescue image with the medium that is made from it.

    ``request`` is None for a legacy rescue and for a request that would be refused. ``source`` is None if the
    implementation makes the disk. ``token`` belongs to the marker on the medium. ``same_image``: the medium is made
    from the instance's image.
    """

    image: RescueImage
    request: RescueRequest | None
    content: ImageContent
    login: Login
    token: str
    source: DiskSource | None = None
    same_image: bool = False


@dataclass
class RescueMedia:
    """The media of one case; ``present`` is the one that the next rescue takes. ``by_step`` goes by position.

    ``instance_base`` is the image below the instance's root disk.
    """

    under_test: Medium
    by_step: Mapping[int, Medium]
    instance_base: Path
    present: Medium = field(init=False)

    def __post_init__(self) -> None:
        self.present = self.under_test

    @property
    def base_paths(self) -> tuple[Path, ...]:
        """The paths of the images below the instance's root disk and the present medium."""
        return tuple(dict.fromkeys((self.instance_base, self.present.content.path)))

    def choose(self, step: int | None) -> Medium:
        """Make the medium of a step, by its position, or else of the rescue under test the present one."""
        self.present = self.under_test if step is None else self.by_step.get(step, self.under_test)
        return self.present
