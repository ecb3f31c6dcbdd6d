"""Make the files behind an instance's disks, small and sparse, as Nova's image backend does; each gets a marker."""

from __future__ import annotations

import io
import json
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pycdlib

from harness.domain.disk_mapping import DiskMapping, MappedDisk
from harness.domain.disk_names import RESCUE
from harness.domain.placement import DiskSource, Encryption, Export
from harness.errors import disk_error
from harness.evidence.inventory import Marker
from harness.evidence.marker import marker_block, marker_offset
from harness.guest.seed import Seed
from harness.image import ImageSet, write_floppy
from harness.image.command import run
from harness.image.content import ImageContent
from harness.instance.storage.base_image import BaseImages
from harness.instance.storage.disk_image import copy_to_image, create_image, write_block
from harness.instance.storage.iscsi_server import ISCSI_PORT, lun_name
from harness.instance.storage.nbd_server import NBD_PORT
from harness.instance.storage.volume_resources import VolumeResources
from harness.scenario.disks import ConfigDrive, Disk, EphemeralDisk, RootDisk, SwapDisk, Volume
from harness.scenario.words import MIB, VolumeBackend

TAIL_BYTES = 64 * 1024
"""The end of a disk that file systems and swap leave free for the marker and data blocks."""
_VFAT_CONFIG_DRIVE_BYTES = 16 * MIB


@dataclass(frozen=True)
class DiskFactory:
    """Makes the disks of one case in ``folder``; ``tokens`` maps disk names to the tokens of their markers.

    ``seed`` is a config drive's data for cloud-init.
    """

    folder: Path
    images: BaseImages
    tokens: Mapping[str, str]
    volumes: VolumeResources
    seed: Seed | None = None

    def make_instance_disks(self, mapping: DiskMapping) -> dict[str, DiskSource]:
        """Make every disk of the set.

        Raises:
            HostError: a tool or a server is missing, or the disk is full.
        """
        try:
            return {entry.name: self._make(disk, entry) for disk, entry in mapping.pairs}
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def make_plain_volumes(self, mapping: DiskMapping) -> dict[str, DiskSource]:
        """Make the volumes of the set, and no other disk, each as a raw file.

        Raises:
            HostError: a tool is missing, or the disk is full.
        """
        plain = {"backend": VolumeBackend.RAW, "encryption": None}
        try:
            return {
                entry.name: self._volume(entry.name, disk.model_copy(update=plain))
                for disk, entry in mapping.pairs
                if isinstance(disk, Volume) or (isinstance(disk, RootDisk) and disk.source == "volume")
            }
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def make_volumes(self, volumes: Mapping[str, Volume]) -> dict[str, DiskSource]:
        """Make volumes that are attached later.

        Raises:
            HostError: a tool or a server is missing, or the disk is full.
        """
        try:
            return {name: self._volume(name, volume) for name, volume in volumes.items()}
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def make_rescue_disk(self, stem: str, base: ImageContent, token: str) -> DiskSource:
        """Make a rescue medium: an overlay on its image, in a file named ``stem``.

        Raises:
            HostError: a tool is missing, or the disk is full.
        """
        try:
            return self._marked(self._overlay_file(stem, base), RESCUE, token, base.size_bytes)
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def make_rescue_floppy(self, stem: str, images: ImageSet, http_port: int, token: str) -> DiskSource:
        """Make a rescue floppy, which fetches its kernel over HTTP.

        Raises:
            HostError: a tool is missing, or the disk is full.
        """
        try:
            path = self.folder / f"{stem}.img"
            write_floppy(images, path, http_port)
            return self._marked(DiskSource(path, "raw"), RESCUE, token, path.stat().st_size)
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def _make(self, disk: Disk, entry: MappedDisk) -> DiskSource:
        name = entry.name
        match disk:
            case RootDisk(source="image"):
                return self._overlay(name, self.images.instance.content)
            case RootDisk() | Volume():
                return self._volume(name, disk)
            case EphemeralDisk():
                path = self._blank(name, disk.size_bytes)
                blocks = (disk.size_bytes - TAIL_BYTES) // 1024
                run("mkfs.ext4", "-q", "-F", "-b", "1024", "-L", name, path, str(blocks))
            case SwapDisk():
                path = self._blank(name, disk.size_bytes)
                run("mkswap", "-q", path, str((disk.size_bytes - TAIL_BYTES) // 1024))
            case ConfigDrive(format="iso9660"):
                path = self.folder / f"{name}.iso"
                _write_config_iso(path, _config_files(self.seed))
            case ConfigDrive():
                path = self._blank(name, _VFAT_CONFIG_DRIVE_BYTES)
                _write_config_vfat(path, _config_files(self.seed))
        return self._with_marker(DiskSource(path, "raw"), name)

    def _volume(self, name: str, disk: RootDisk | Volume) -> DiskSource:
        backend = disk.backend or VolumeBackend.RAW
        source = _volume_file(self.folder, name, backend, self.volumes.encryption(name) if disk.encryption else None)
        if isinstance(disk, Volume):
            create_image(source, disk.size_bytes)
            self._with_marker(source, name, disk.size_bytes)
        else:
            base = self.images.instance.content
            with self._as_raw(base) as raw_path:
                copy_to_image(source, raw_path)
            self._with_marker(source, name, base.size_bytes)
        return replace(source, export=self.volumes.export(backend, source.path, name))

    def _blank(self, name: str, size_bytes: int) -> Path:
        source = DiskSource(self.folder / f"{name}.raw", "raw")
        create_image(source, size_bytes)
        return source.path

    def _overlay(self, name: str, base: ImageContent) -> DiskSource:
        return self._with_marker(self._overlay_file(name, base), name, base.size_bytes)

    def _overlay_file(self, stem: str, base: ImageContent) -> DiskSource:
        path = self.folder / f"{stem}.qcow2"
        backing = ("-F", base.format, "-b", base.path)
        run("qemu-img", "create", "-q", "-f", "qcow2", *backing, path, str(base.size_bytes))
        return DiskSource(path, "qcow2")

    @contextmanager
    def _as_raw(self, base: ImageContent) -> Iterator[Path]:
        """Provide a raw file of the guest's disk size: the image itself if that is such a file, else a copy."""
        if base.format == "raw" and base.path.stat().st_size == base.size_bytes:
            yield base.path
            return
        path = self.folder / "base.raw"
        try:
            run("qemu-img", "convert", "-q", "-f", base.format, "-O", "raw", base.path, path)
            os.truncate(path, base.size_bytes)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _with_marker(self, source: DiskSource, name: str, disk_bytes: int | None = None) -> DiskSource:
        size_bytes = source.path.stat().st_size if disk_bytes is None else disk_bytes
        return self._marked(source, name, self.tokens[name], size_bytes)

    @staticmethod
    def _marked(source: DiskSource, name: str, token: str, size_bytes: int) -> DiskSource:
        write_block(source, marker_offset(size_bytes), marker_block(Marker(disk=name, token=token)))
        return source


def planned_sources(
    mapping: DiskMapping, folder: Path, later: Mapping[str, Volume] = MappingProxyType({})
) -> dict[str, DiskSource]:
    """Return the sources for domains that are only defined.

    These are the sources that the instance's disks, the volumes attached later, and the rescue disk would have.
    """
    planned = {entry.name: _planned(disk, entry.name, folder) for disk, entry in mapping.pairs}
    planned |= {name: _planned(volume, name, folder) for name, volume in later.items()}
    return planned | {RESCUE: DiskSource(folder / f"{RESCUE}.qcow2", "qcow2")}


def _planned(disk: Disk, name: str, folder: Path) -> DiskSource:
    match disk:
        case Volume() | RootDisk(source="volume"):
            backend = disk.backend or VolumeBackend.RAW
            encryption = Encryption(str(uuid.uuid4()), folder / "passphrase") if disk.encryption else None
            exports = {
                VolumeBackend.NBD: Export("nbd", name, NBD_PORT),
                VolumeBackend.ISCSI: Export("iscsi", lun_name(name), ISCSI_PORT),
            }
            return replace(_volume_file(folder, name, backend, encryption), export=exports.get(backend))
        case RootDisk():
            return DiskSource(folder / f"{name}.qcow2", "qcow2")
        case _:
            return DiskSource(folder / f"{name}.raw", "raw")


def _volume_file(folder: Path, name: str, backend: VolumeBackend, encryption: Encryption | None) -> DiskSource:
    if backend is VolumeBackend.QCOW2:
        return DiskSource(folder / f"{name}.qcow2", "qcow2", encryption)
    return DiskSource(folder / f"{name}.raw", "raw", encryption)


def _config_files(seed: Seed | None) -> dict[str, bytes]:
    """Return the files of ``openstack/latest``."""
    instance_id = "config-drive" if seed is None else seed.instance_id
    meta_data = json.dumps({"uuid": instance_id, "hostname": "instance"}).encode()
    return {"meta_data.json": meta_data} | ({} if seed is None else {"user_data": seed.user_data.encode()})


def _write_config_iso(path: Path, files: Mapping[str, bytes]) -> None:
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, vol_ident="config-2", joliet=3, rock_ridge="1.09")
    for iso_path, name in (("/OPENSTACK", "openstack"), ("/OPENSTACK/LATEST", "latest")):
        iso.add_directory(iso_path, rr_name=name, joliet_path=iso_path.lower())
    for name, content in files.items():
        stem, _, suffix = name.upper().partition(".")
        iso.add_fp(
            io.BytesIO(content),
            len(content),
            f"/OPENSTACK/LATEST/{stem}.{suffix[:3]};1",
            rr_name=name,
            joliet_path=f"/openstack/latest/{name}",
        )
    iso.write(str(path))
    iso.close()
    with path.open("r+b") as file:
        size = path.stat().st_size + 2 * TAIL_BYTES
        file.truncate(size - size % TAIL_BYTES)


def _write_config_vfat(path: Path, files: Mapping[str, bytes]) -> None:
    blocks = (_VFAT_CONFIG_DRIVE_BYTES - TAIL_BYTES) // 1024
    run("mkfs.vfat", "-n", "config-2", path, str(blocks))
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "openstack" / "latest"
        tree.mkdir(parents=True)
        for name, content in files.items():
            (tree / name).write_bytes(content)
        run("mcopy", "-s", "-i", path, tree.parent, "::")
