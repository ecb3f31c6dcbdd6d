"""The files behind an instance's disks, each with its marker: what Nova's image backend makes, small and sparse."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pycdlib

from harness.domain.placement import DiskSource
from harness.errors import HostError
from harness.evidence.inventory import Marker
from harness.evidence.marker import marker_block, marker_offset
from harness.image import ImageSet, write_floppy
from harness.image.command import run
from harness.rescue.naming import MappedDisk, map_disks
from harness.scenario.models import (
    MIB,
    ConfigDrive,
    DeviceType,
    Disk,
    EphemeralDisk,
    Instance,
    RootDisk,
    SwapDisk,
    Volume,
)

TAIL_BYTES = 64 * 1024
"""File systems and swap stop this far before the end of a disk, where the marker and data blocks are."""
_VFAT_CONFIG_DRIVE_BYTES = 16 * MIB


@dataclass(frozen=True)
class DiskFactory:
    """Makes the disks of one case in ``folder``; ``tokens`` maps disk names to the tokens of their markers."""

    folder: Path
    images: ImageSet
    tokens: Mapping[str, str]

    def make_instance_disks(self, instance: Instance) -> dict[str, DiskSource]:
        """Make every disk of the set.

        Raises:
            HostError: a tool is missing, or the disk is full.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        mapped = map_disks(instance)
        try:
            return {entry.name: self._make(disk, entry) for disk, entry in zip(instance.disks, mapped, strict=True)}
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def make_rescue_disk(self, name: str, device: DeviceType, http_port: int) -> DiskSource:
        """Make the rescue medium: an overlay on the hybrid image, or a floppy that fetches its kernel over HTTP.

        Raises:
            HostError: a tool is missing, or the disk is full.
        """
        try:
            if device is not DeviceType.FLOPPY:
                return self._overlay(name, self.images.rescue)
            path = self.folder / f"{name}.img"
            write_floppy(self.images, path, http_port)
            self._plant(path, name)
        except OSError as error:
            raise disk_error(error, self.folder) from error
        return DiskSource(path, "raw")

    def _make(self, disk: Disk, entry: MappedDisk) -> DiskSource:
        name = entry.name
        match disk:
            case RootDisk(source="image"):
                return self._overlay(name, self.images.instance)
            case RootDisk():
                path = self.folder / f"{name}.raw"
                run("cp", "--sparse=always", "--reflink=auto", self.images.instance, path)
                path.chmod(0o600)
            case EphemeralDisk():
                path = self._blank(name, disk.size_bytes)
                blocks = (disk.size_bytes - TAIL_BYTES) // 1024
                run("mkfs.ext4", "-q", "-F", "-b", "1024", "-L", name, path, str(blocks))
            case SwapDisk():
                path = self._blank(name, disk.size_bytes)
                run("mkswap", "-q", path, str((disk.size_bytes - TAIL_BYTES) // 1024))
            case Volume():
                path = self._blank(name, disk.size_bytes)
            case ConfigDrive(format="iso9660"):
                path = self.folder / f"{name}.iso"
                _write_config_iso(path)
            case ConfigDrive():
                path = self._blank(name, _VFAT_CONFIG_DRIVE_BYTES)
                _write_config_vfat(path)
        self._plant(path, name)
        return DiskSource(path, "raw")

    def _blank(self, name: str, size_bytes: int) -> Path:
        path = self.folder / f"{name}.raw"
        with path.open("wb") as file:
            file.truncate(size_bytes)
        return path

    def _plant(self, path: Path, name: str) -> None:
        with path.open("r+b") as file:
            file.seek(marker_offset(path.stat().st_size))
            file.write(self._marker(name))

    def _marker(self, name: str) -> bytes:
        return marker_block(Marker(disk=name, token=self.tokens[name]))

    def _overlay(self, name: str, base: Path) -> DiskSource:
        path = self.folder / f"{name}.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, path)
        offset = marker_offset(base.stat().st_size)
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".marker") as marker:
            block = self._marker(name)
            marker.write(block)
            marker.flush()
            run("qemu-io", "-f", "qcow2", "-c", f"write -q -s {marker.name} {offset} {len(block)}", path)
        return DiskSource(path, "qcow2")


def disk_error(error: OSError, folder: Path, *, variable: str = "RESCUE_HARNESS_CACHE") -> HostError:
    """What a failed write means for the user; ``variable`` names the setting that moves the folder."""
    return HostError(
        f"{error.strerror or error} while writing below {folder}",
        hint=f"free some space there, or set {variable} to a folder that has it",
    )


_META_DATA = json.dumps({"uuid": "config-drive", "hostname": "instance"}).encode()


def _write_config_iso(path: Path) -> None:
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, vol_ident="config-2", joliet=3, rock_ridge="1.09")
    for iso_path, name in (("/OPENSTACK", "openstack"), ("/OPENSTACK/LATEST", "latest")):
        iso.add_directory(iso_path, rr_name=name, joliet_path=iso_path.lower())
    iso.add_fp(
        io.BytesIO(_META_DATA),
        len(_META_DATA),
        "/OPENSTACK/LATEST/META_DATA.JSO;1",
        rr_name="meta_data.json",
        joliet_path="/openstack/latest/meta_data.json",
    )
    iso.write(str(path))
    iso.close()
    with path.open("r+b") as file:
        size = path.stat().st_size + 2 * TAIL_BYTES
        file.truncate(size - size % TAIL_BYTES)


def _write_config_vfat(path: Path) -> None:
    blocks = (_VFAT_CONFIG_DRIVE_BYTES - TAIL_BYTES) // 1024
    run("mkfs.vfat", "-n", "config-2", path, str(blocks))
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "openstack" / "latest"
        tree.mkdir(parents=True)
        (tree / "meta_data.json").write_bytes(_META_DATA)
        run("mcopy", "-s", "-i", path, tree.parent, "::")


@contextmanager
def raw_view(source: DiskSource, scratch: Path) -> Iterator[Path]:
    """A file that reads as the whole disk would in a guest.

    Raises:
        HostError: the image cannot be read.
    """
    if source.format == "raw":
        yield source.path
        return
    raw_path = scratch / f"{source.path.stem}.contents"
    try:
        run("qemu-img", "convert", "-q", "-O", "raw", source.path, raw_path)
        yield raw_path
    finally:
        raw_path.unlink(missing_ok=True)
