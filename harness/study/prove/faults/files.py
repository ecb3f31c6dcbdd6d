"""Faults of stored bytes: the domain is right, but the bytes behind its disks are wrong.

The faults replace a file by renaming another one over it, because the running guest then keeps the file it has open.
At level plan no files exist, and the faults do nothing.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from harness.domain.disk_names import RESCUE
from harness.domain.placement import DiskSource
from harness.evidence.marker import BLOCK_BYTES, data_offset
from harness.image.command import run
from harness.scenario.words import ClaimName, Level, Role
from harness.study.prove.faults.draft import Draft, NotApplicable, child
from harness.study.prove.faults.fault import Fault

_GROWTH_BYTES = 1024 * 1024
_DISK_SIGNATURE_OFFSET = 440
"""The four bytes of a Master Boot Record that a partition's PARTUUID begins with."""


def _plain_volume(draft: Draft) -> Path:
    """Return the file of the first volume, which must be raw: the file's bytes are the disk's."""
    source = draft.source(Role.VOLUME)
    if source.format != "raw" or source.encryption is not None or source.export is not None:
        raise NotApplicable("the volume is no plain file")
    return source.path


def replace(path: Path, make: Callable[[Path], object]) -> None:
    """Put the file that ``make`` writes in the place of another one, if there is one."""
    if not path.is_file():
        return
    new = path.with_name(f"{path.name}.fault")
    make(new)
    new.replace(path)


def _blank(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_bytes)


def _volume_grown(draft: Draft) -> None:
    path = _plain_volume(draft)

    def make(new: Path) -> None:
        shutil.copyfile(path, new)
        with new.open("r+b") as file:
            file.truncate(path.stat().st_size + _GROWTH_BYTES)

    replace(path, make)


def _volume_emptied(draft: Draft) -> None:
    path = _plain_volume(draft)
    replace(path, lambda new: _blank(new, path.stat().st_size))


def _root_overwritten(draft: Draft) -> None:
    root, rescue = draft.source(Role.ROOT), draft.placement.sources[RESCUE]
    replace(root.path, lambda new: _write_over(root, rescue, new))


def _write_over(root: DiskSource, rescue: DiskSource, new: Path) -> None:
    """Copy the root disk's file to ``new``, and write the rescue image over its content, blank up to its size."""
    content = new.with_suffix(".content")
    try:
        run("qemu-img", "convert", "-q", "--force-share", "-f", root.format, "-O", "raw", root.path, content)
        size_bytes = content.stat().st_size
        run("qemu-img", "convert", "-q", "--force-share", "-f", rescue.format, "-O", "raw", rescue.path, content)
        run("qemu-img", "resize", "-q", "-f", "raw", content, str(size_bytes))
        shutil.copyfile(root.path, new)
        run("qemu-img", "convert", "-q", "-n", "-f", "raw", "-O", root.format, content, new)
    finally:
        content.unlink(missing_ok=True)


def _instance_image_to_rescue_with(draft: Draft) -> None:
    root, rescue = draft.source(Role.ROOT), draft.placement.sources[RESCUE]
    command = ("qemu-img", "convert", "-q", "--force-share", "-f", root.format, "-O", rescue.format, root.path)
    replace(rescue.path, lambda new: run(*command, new))


def _disk_signature_changed(draft: Draft) -> None:
    root = draft.source(Role.ROOT)

    def make(new: Path) -> None:
        shutil.copyfile(root.path, new)
        run("qemu-io", "-f", root.format, "-c", f"write -q -P 65 {_DISK_SIGNATURE_OFFSET} 4", new)

    replace(root.path, make)


def _tpm_state_lost(draft: Draft) -> None:
    if draft.placement.tpm is None:
        raise NotApplicable("no TPM")
    for path in draft.placement.tpm.state_path.glob("*.permall"):
        path.unlink()


def _serial_twice(draft: Draft) -> None:
    volume = draft.first(Role.VOLUME, "virtio")
    if child(draft.rescue, "target").get("bus") != "virtio":
        raise NotApplicable("no rescue disk on virtio")
    draft.rescue.append(copy.deepcopy(child(volume, "serial")))


def _written_data_lost(draft: Draft) -> None:
    path = _plain_volume(draft)
    if path.is_file():
        _write(path, data_offset(path.stat().st_size), bytes(BLOCK_BYTES))


def _bytes_overwritten(draft: Draft) -> None:
    path = _plain_volume(draft)
    if path.is_file():
        _write(path, path.stat().st_size // 2, b"stray".ljust(BLOCK_BYTES))


def _laid_over_a_copy(draft: Draft) -> None:
    root = draft.source(Role.ROOT)
    if root.format != "qcow2":
        raise NotApplicable("the root disk is laid over no other file")
    replace(root.path, lambda new: _lay_over_a_copy(root.path, new))


def _lay_over_a_copy(root: Path, new: Path) -> None:
    """Copy the root disk's file to ``new``, and name its backing file there by a symbolic link, another path."""
    shutil.copyfile(root, new)
    described = run("qemu-img", "info", "--force-share", "--output=json", root)
    below = root.with_name("copy.img")
    below.symlink_to(json.loads(described)["full-backing-filename"])
    run("qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", below, new)


def _write(path: Path, offset_bytes: int, block: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset_bytes)
        file.write(block)


_TPM = "other-devices[pc]"
_SMALL = "scsi-disk-new-controller[pc]"
UEFI_CASE = "cell-uefi[pc-virtio-disk]"

FILE_FAULTS = (
    Fault(
        "volume-grown",
        "a larger file is at a volume's path",
        ClaimName.IDENTITY,
        rescued=_volume_grown,
        level=Level.MACHINE,
        case=_SMALL,
    ),
    Fault(
        "another-image-below",
        "the root disk is laid over another file than the instance's image",
        ClaimName.IDENTITY,
        rescued=_laid_over_a_copy,
        level=Level.MACHINE,
        case=_SMALL,
    ),
    Fault(
        "stray-write-of-the-rescue",
        "the rescue writes over bytes of a volume that are nobody's, before its guest starts",
        ClaimName.DATA,
        rescued=_bytes_overwritten,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "volume-emptied",
        "an empty file of the same size is at a volume's path",
        ClaimName.CONTENT,
        rescued=_volume_emptied,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "root-overwritten",
        "the rescue image is written over the root disk",
        ClaimName.CONTENT,
        rescued=_root_overwritten,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "wrong-rescue-image",
        "the rescue disk holds a copy of the root disk",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_instance_image_to_rescue_with,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "disk-signature-changed",
        "the rescue writes another signature into the root disk's partition table",
        ClaimName.LINKS,
        rescued=_disk_signature_changed,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "serial-twice",
        "the rescue disk has a volume's serial",
        ClaimName.LINKS,
        rescued=_serial_twice,
        level=Level.GUEST,
        case=UEFI_CASE,
    ),
    Fault(
        "written-data-lost",
        "what the rescued guest wrote to a volume is gone after the unrescue",
        ClaimName.DATA,
        unrescued=_written_data_lost,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "stray-write",
        "the unrescue writes over bytes of a volume that are nobody's",
        ClaimName.DATA,
        unrescued=_bytes_overwritten,
        level=Level.GUEST,
        case=_SMALL,
    ),
    Fault(
        "tpm-state-lost",
        "the TPM is a new one: what the instance's had kept, its endorsement key among it, is gone",
        ClaimName.OTHER_HARDWARE,
        rescued=_tpm_state_lost,
        level=Level.GUEST,
        case=_TPM,
    ),
)
