"""Check what the host sees of an instance beside its domain, its disks and its UEFI variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding
from harness.verdict.restoring import UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.verdict.expected import HostEvidence

_FOLDER, _NO_FILE = "folder", "no file"


def recorded_states(host: HostEvidence) -> Iterator[Finding]:
    """Compare the implementation's own record of the instance with what it has done."""
    for claim, wanted, found, done in (
        (ClaimName.BOOTED_FROM_RESCUE, "rescued", host.recorded[0], "rescue"),
        (ClaimName.RESTORED, "active", host.recorded[1], "unrescue"),
    ):
        if found not in {None, wanted}:
            message = f"the implementation's own record says {found} after a successful {done}"
            yield Finding(claim=claim, device="instance", before=wanted, after=str(found), message=message)


def instance_folder(host: HostEvidence) -> Iterator[Finding]:
    """Check that the rescue left nothing in the instance's folder, and took nothing from it."""
    for name in host.left_over:
        message = f"{name} is left over in the instance's folder"
        yield Finding(claim=ClaimName.RESTORED, device=_FOLDER, before=_NO_FILE, after=name, message=message)
    for name in host.lost:
        message = f"{name} is gone from the instance's folder"
        yield Finding(claim=ClaimName.RESTORED, device=_FOLDER, before=name, after=_NO_FILE, message=message)


def base_images(host: HostEvidence) -> Iterator[Finding]:
    """Check that nobody wrote to the images that the disks of many instances have below them."""
    for name in host.base_images:
        yield Finding(
            claim=ClaimName.DATA,
            device="base-image",
            before=UNCHANGED,
            after=f"{name} changed",
            message=f"the base image {name}, which other disks have below them, changed",
        )
