"""The build of one set of images from Debian packages and the recipes."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING

from harness.image import image_set
from harness.image.command import require_tools
from harness.image.initramfs import build_initramfs, kernel_version
from harness.image.loaders import Loaders
from harness.image.media import MediaBuilder
from harness.image.packages import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.image.recipe import Recipe


def build_images(recipe: Recipe, inputs: dict[str, str], target: Path, work: Path, say: Callable[[str], None]) -> None:
    """Write the files of a set into ``target``; ``work`` takes the files needed only during the build (about 600 MB).

    Raises HostError if a tool is missing or fails, PackagesUnavailableError if a package cannot be fetched.
    """
    require_tools()
    root = work / "root"
    root.mkdir(parents=True)
    say(f"images: fetching {len(inputs)} Debian packages")
    unpack(inputs, root, work / "packages")
    say("images: building kernel, initramfs and media")
    epoch = epoch_of(recipe.rescue.uuid)
    kernel = (root / "boot" / f"vmlinuz-{kernel_version(root)}").read_bytes()
    initramfs = build_initramfs(recipe, root, epoch)
    (target / image_set.KERNEL).write_bytes(kernel)
    (target / image_set.INITRAMFS).write_bytes(initramfs)
    media_folder = work / "media"
    media_folder.mkdir()
    media = MediaBuilder(recipe, Loaders(root, recipe.loaders), media_folder, epoch)
    media.build_instance(kernel, initramfs, target / image_set.INSTANCE)
    media.build_hybrid(recipe.instance_iso, kernel, initramfs, target / image_set.INSTANCE_ISO)
    media.build_hybrid(recipe.rescue, kernel, initramfs, target / image_set.RESCUE)
    media.build_floppy(target / image_set.FLOPPY)


def epoch_of(iso_uuid: str) -> int:
    """Return the date that the rescue medium's UUID is made of (seconds since 1970): all images have only this date."""
    return calendar.timegm(time.strptime(iso_uuid[:19], "%Y-%m-%d-%H-%M-%S"))
