"""Make media from which nothing boots, to see what an instance boots that is rescued with one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pycdlib

from harness.errors import disk_error
from harness.image.content import ImageContent
from harness.scenario.words import MIB

_CONTENT = b"There is no boot record on this medium.\n"


def blank_medium(folder: Path) -> ImageContent:
    """Make a disk of zeros.

    Raises:
        HostError: the disk is full.
    """
    return _medium(folder / "blank.img", b"")


def data_iso(folder: Path) -> ImageContent:
    """Make an ISO 9660 image with a file and without El Torito's boot record.

    Raises:
        HostError: the disk is full.
    """
    iso = pycdlib.PyCdlib()
    iso.new(vol_ident="DATA")
    iso.add_fp(BytesIO(_CONTENT), len(_CONTENT), "/README.;1")
    made = BytesIO()
    iso.write_fp(made)
    iso.close()
    return _medium(folder / "data.iso", made.getvalue())


def _medium(path: Path, content: bytes) -> ImageContent:
    try:
        with path.open("wb") as file:
            file.write(content)
            file.truncate(max(MIB, len(content)))
    except OSError as error:
        raise disk_error(error, path.parent) from error
    return ImageContent.of_raw(path)
