"""An image file of the user's: inspected, never written to."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

from harness.errors import HostError
from harness.image.command import run
from harness.image.content import ImageContent

if TYPE_CHECKING:
    from pathlib import Path

_GRAIN_BYTES = 64 * 1024


def disk_bytes(image_bytes: int) -> int:
    """Return the size of a disk made from an image of ``image_bytes``.

    The disk is longer than the image by 64 to 128 KiB, where marker and data blocks go. No part of the image, such as
    the second header of a GPT, is in that place. growpart does not grow a partition by less than a mebibyte.
    """
    return (-(-image_bytes // _GRAIN_BYTES) + 1) * _GRAIN_BYTES


def readable(path: Path) -> Path:
    """Return the absolute path of a file, once it is known to be readable.

    Raises:
        HostError: the path is no regular file, such as a device of the host's, or the file is empty or cannot be read.
    """
    path = path.absolute()
    hint = "paths of images and keys count from the folder of the scenario file"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise HostError(f"{path} is no file", hint=hint)
        with path.open("rb") as file:
            if not file.read(1):
                raise HostError(f"{path} is empty", hint=hint)
            return path
    except (OSError, ValueError) as error:
        raise HostError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", hint=hint) from error


def inspected(path: Path) -> ImageContent:
    """Return the content of an image, as qemu-img describes it.

    Raises:
        HostError: the image cannot be read, is neither raw nor qcow2, is encrypted, or takes content from another file.
            With such an image, its author could make QEMU read any file of this host.
    """
    path = readable(path)
    facts: dict[str, Any] = json.loads(run("qemu-img", "info", "--output=json", path))
    found = facts["format"]
    if found not in ("raw", "qcow2"):
        raise HostError(
            f"{path} is a {found} image, not raw or qcow2", hint=f"qemu-img convert -O qcow2 {path} image.qcow2"
        )
    if facts.get("encrypted"):
        raise HostError(f"{path} is encrypted", hint="have qemu-img convert write it to a plain qcow2 file")
    details = facts.get("format-specific", {}).get("data", {})
    other = facts.get("backing-filename") or details.get("data-file")
    if other:
        raise HostError(
            f"{path} takes content from another file, {other}",
            hint=f"if that is right, qemu-img convert -O qcow2 {path} image.qcow2 makes an image that stands alone",
        )
    return ImageContent(path, found, disk_bytes(facts["virtual-size"]))
