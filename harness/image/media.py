"""The bootable media, put together from plain files: no root, no loop device."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HostError
from harness.image.command import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.image.loaders import Loaders
    from harness.image.recipe import Medium, Recipe

MIB = 1024 * 1024
FLOPPY_BYTES = 1_474_560
# The harness tells disks apart by a marker in the last 8 KiB of each; here nothing else may live there.
MARKER_BYTES = 8192
TAIL_BYTES = MIB

_SECTOR_BYTES = 512
_PARTITION_START = MIB // _SECTOR_BYTES
_FAT16_LBA = 0x0E
_LINUX = 0x83
_GRUB_CONFIGURATION = "EFI/debian/grub.cfg"
"""The path at which the GRUB that Debian signs looks, on the device that GRUB was loaded from; the path is fixed."""
_EFI_BYTES = 6 * MIB

Files = dict[str, bytes]


@dataclass(frozen=True)
class BootDisk:
    """A disk to be built: its boot partition's file system, and room for a root partition behind it."""

    medium: Medium
    command_line: str
    disk_signature: int
    boot_bytes: int
    root_bytes: int = 0

    @property
    def root_offset(self) -> int:
        """The start of the root partition, in bytes."""
        return MIB + self.boot_bytes


class MediaBuilder:
    """Builds media in ``folder``; ``epoch`` (s) is the time of every file."""

    def __init__(self, recipe: Recipe, loaders: Loaders, folder: Path, epoch: int) -> None:
        self._recipe = recipe
        self._loaders = loaders
        self._folder = folder
        # mtools and xorriso take the time from SOURCE_DATE_EPOCH; MTOOLS_SKIP_CHECK: a floppy's geometry is fine.
        self._environment = {"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
        self._epoch = epoch

    def build_instance(self, kernel: bytes, initramfs: bytes, target: Path) -> None:
        """Build a raw disk with one active FAT partition that boots from BIOS (SYSLINUX) and UEFI (GRUB)."""
        recipe = self._recipe
        self.build_disk(
            BootDisk(
                medium=recipe.instance,
                command_line=recipe.command_line(recipe.instance),
                disk_signature=recipe.instance_disk_signature,
                boot_bytes=recipe.instance_partition_mib * MIB,
            ),
            kernel,
            initramfs,
            target,
        )

    def build_disk(self, disk: BootDisk, kernel: bytes, initramfs: bytes, target: Path) -> None:
        """Build a raw disk with an active FAT partition that boots from BIOS (SYSLINUX) and UEFI (GRUB).

        If ``disk`` has room for a root file system, a blank partition follows.
        """
        partition = self._folder / "partition.img"
        contents = {
            "syslinux.cfg": self._recipe.configured("syslinux.cfg", disk.command_line),
            "ldlinux.c32": self._loaders.read("bios/ldlinux.c32"),
            "vmlinuz": kernel,
            "initramfs.cpio.gz": initramfs,
            **self._uefi_loaders(),
            _GRUB_CONFIGURATION: self._recipe.configured("grub.cfg", disk.command_line),
        }
        self._make_fat(partition, disk.boot_bytes, disk.medium, contents, hidden_sectors=_PARTITION_START)
        self._install_syslinux(partition)
        with target.open("wb") as file:
            file.truncate(disk.root_offset + disk.root_bytes + TAIL_BYTES)
            file.write(self._master_boot_record(disk))
            _write_sparse(file.fileno(), MIB, partition.read_bytes())
        partition.unlink()

    def build_hybrid(self, medium: Medium, kernel: bytes, initramfs: bytes, target: Path) -> None:
        """Build a medium that boots as a CD-ROM and as a disk, each from BIOS and UEFI."""
        recipe = self._recipe
        tree = self._folder / medium.name
        grub_configuration = recipe.boot_configuration("grub.cfg", medium)
        efi = self._folder / "efi.img"
        efi_contents = {**self._uefi_loaders(), _GRUB_CONFIGURATION: grub_configuration}
        self._make_fat(efi, _EFI_BYTES, medium, efi_contents, serial="0E510E51")
        self._write_tree(
            tree,
            {
                "isolinux/isolinux.bin": self._loaders.read("isolinux.bin"),
                "isolinux/ldlinux.c32": self._loaders.read("bios/ldlinux.c32"),
                "isolinux/isolinux.cfg": recipe.boot_configuration("syslinux.cfg", medium),
                "EFI/BOOT/efi.img": efi.read_bytes(),
                _GRUB_CONFIGURATION: grub_configuration,
                "vmlinuz": kernel,
                "initramfs.cpio.gz": initramfs,
            },
        )
        when = medium.uuid.replace("-", "")
        volume = ("-V", medium.label, f"--modification-date={when}", "-R")
        bios = ("-b", "isolinux/isolinux.bin", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table")
        uefi = ("-eltorito-alt-boot", "-e", "EFI/BOOT/efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat")
        disk = ("-isohybrid-mbr", self._loaders.find("isohdpfx.bin"))
        run(
            *("xorriso", "-as", "mkisofs", "-o", target, *volume, *bios, *uefi, *disk, tree),
            environment=self._environment,
        )
        file_system_bytes = target.stat().st_size
        os.truncate(target, -(-file_system_bytes // MIB) * MIB + TAIL_BYTES)

    def build_floppy(self, target: Path) -> None:
        """Build a floppy with SYSLINUX and iPXE.

        iPXE fetches kernel and initramfs over HTTP, because they don't fit on 1.44 MB.
        """
        recipe = self._recipe
        contents = {
            "syslinux.cfg": recipe.boot_configuration("floppy.cfg", recipe.floppy),
            "ldlinux.c32": self._loaders.read("bios/ldlinux.c32"),
            "ipxe.lkrn": self._loaders.read("ipxe.lkrn"),
            "boot.ipxe": recipe.boot_configuration("boot.ipxe", recipe.floppy),
        }
        self._make_fat(target, FLOPPY_BYTES, recipe.floppy, contents)
        self._install_syslinux(target)
        if target.read_bytes()[-MARKER_BYTES:].strip(b"\0"):
            raise HostError("the rescue floppy is full: its files reach into the marker's place")

    def _uefi_loaders(self) -> Files:
        """Return the loaders signed by Microsoft and Debian, so the same media boot with and without secure boot.

        Firmware starts shim under the removable media's name, and shim starts the GRUB beside it.
        """
        return {
            "EFI/BOOT/BOOTX64.EFI": self._loaders.read("shimx64.efi.signed"),
            "EFI/BOOT/grubx64.efi": self._loaders.read("grubx64.efi.signed"),
        }

    def _make_fat(
        self,
        image: Path,
        size_bytes: int,
        medium: Medium,
        contents: Mapping[str, bytes],
        *,
        hidden_sectors: int = 0,
        serial: str | None = None,
    ) -> None:
        """Make a FAT file system; files keep their order, so each file that is read at boot lies in one piece."""
        with image.open("wb") as file:
            file.truncate(size_bytes)
        volume_id = serial or medium.uuid.replace("-", "")
        options = ["--invariant", "-i", volume_id, "-n", medium.label, "-h", str(hidden_sectors)]
        run("mkfs.vfat", *options, image, environment=self._environment)
        tree = self._folder / "fat"
        self._write_tree(tree, contents)
        folders = {str(parent) for name in contents for parent in (tree / name).relative_to(tree).parents}
        for folder in sorted(folders - {"."}):
            run("mmd", "-i", image, f"::{folder}", environment=self._environment)
        for name in contents:
            run("mcopy", "-m", "-i", image, tree / name, f"::{name}", environment=self._environment)

    def _install_syslinux(self, image: Path) -> None:
        run(self._loaders.find("bin/syslinux"), "--install", image, environment=self._environment)

    def _write_tree(self, tree: Path, contents: Mapping[str, bytes]) -> None:
        for name, content in contents.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for path in [tree, *tree.rglob("*")]:
            os.utime(path, (self._epoch, self._epoch))

    def _master_boot_record(self, disk: BootDisk) -> bytes:
        code = self._loaders.read("SYSLINUX/mbr.bin")[:440].ljust(440, b"\0")
        entries = _partition_entry(0x80, _FAT16_LBA, MIB, disk.boot_bytes)
        if disk.root_bytes:
            entries += _partition_entry(0, _LINUX, disk.root_offset, disk.root_bytes)
        return code + struct.pack("<IH", disk.disk_signature, 0) + entries.ljust(64, b"\0") + b"\x55\xaa"


def _partition_entry(flag: int, kind: int, start_bytes: int, size_bytes: int) -> bytes:
    # Cylinder, head and sector are given as "beyond": firmware and SYSLINUX address by LBA.
    beyond = b"\xfe\xff\xff"
    return struct.pack(
        "<B3sB3sII", flag, beyond, kind, beyond, start_bytes // _SECTOR_BYTES, size_bytes // _SECTOR_BYTES
    )


def _write_sparse(descriptor: int, offset: int, data: bytes) -> None:
    """Write ``data`` at ``offset``, leaving holes where whole blocks are zero."""
    block = 64 * 1024
    for start in range(0, len(data), block):
        piece = data[start : start + block]
        if piece.strip(b"\0"):
            os.pwrite(descriptor, piece, offset + start)
