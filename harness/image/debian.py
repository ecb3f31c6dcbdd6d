"""The Debian images: a system that mmdebstrap installs, on disks that differ in identifiers and in what root is on."""

from __future__ import annotations

import hashlib
import os
import shlex
import tarfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from harness.errors import HostError
from harness.image.build import epoch_of
from harness.image.cache import ImageCache, Progress, cache_root, say_nothing
from harness.image.command import DEBIAN_TOOLS, require_tools, run
from harness.image.image_set import read_manifest, verify_files
from harness.image.loaders import Loaders
from harness.image.media import MIB, BootDisk, MediaBuilder
from harness.image.packages import (
    PackagesUnavailableError,
    debian_sources,
    download_settings,
    resolve_packages,
    unpack,
)
from harness.image.recipe import Medium, Recipe, recipe_folder, recipe_hash

INSTANCE = "instance.img"
VOLUMES = "volumes.img"
RESCUE = "rescue.img"
_DISKS = (INSTANCE, RESCUE, VOLUMES)
_NAMESPACES = (
    *("unshare", "--mount", "--propagation", "private", "--pid", "--fork"),
    *("--kill-child", "--mount-proc", "--"),
)
_BUILDER_MODULES = ("debian.py", "loaders.py", "media.py", "packages.py", "recipe.py")

# The file systems are made from an unpacked tree, by tools that believe to be root: nothing is mounted.
_MAKE_FILE_SYSTEMS = """\
tree=$1 archive=$2 size_kib=$3
shift 3
mkdir "$tree"
tar -xpf "$archive" -C "$tree" --numeric-owner --exclude='./boot/*' --exclude='./dev/*'
while [ $# -gt 0 ]; do
    mke2fs -q -F -t ext4 -b 4096 -m 0 -J size=4 -d "$tree" -L "$2" -U "$3" \\
        -E "offset=$4,hash_seed=$3,lazy_itable_init=0" "$1" "${size_kib}k"
    shift 4
done
rm -rf --one-file-system "$tree"
"""


@dataclass(frozen=True)
class DebianDisk:
    """Identity of one disk: its boot partition's file system, the root file system's UUID, the disk's signature."""

    boot: Medium
    root_uuid: str
    disk_signature: int


@dataclass(frozen=True)
class DebianRecipe:
    """The settings of the Debian images that are chosen, read from ``folder``."""

    folder: Path
    packages: tuple[str, ...]
    excluded: tuple[str, ...]
    enabled: tuple[str, ...]
    masked: tuple[str, ...]
    kernel_arguments: str
    boot_bytes: int
    root_bytes: int
    instance: DebianDisk
    rescue: DebianDisk
    volumes: DebianDisk

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read recipe.toml."""
        chosen = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))

        def disk(name: str) -> DebianDisk:
            keys: dict[str, Any] = chosen[name]
            return DebianDisk(Medium(name, keys["label"], keys["uuid"]), keys["root_uuid"], keys["disk_signature"])

        return cls(
            folder=folder,
            packages=tuple(chosen["packages"]),
            excluded=tuple(chosen["excluded"]),
            enabled=tuple(chosen["enabled"]),
            masked=tuple(chosen["masked"]),
            kernel_arguments=chosen["kernel_arguments"],
            boot_bytes=chosen["boot_partition_mib"] * MIB,
            root_bytes=chosen["root_partition_mib"] * MIB,
            instance=disk("instance"),
            rescue=disk("rescue"),
            volumes=disk("volumes"),
        )

    def boot_disk(self, disk: DebianDisk) -> BootDisk:
        """Return the disk as the media builder lays it out."""
        command_line = f"{self.kernel_arguments} root=UUID={disk.root_uuid}"
        return BootDisk(disk.boot, command_line, disk.disk_signature, self.boot_bytes, self.root_bytes)

    def encrypted_disk(self, encrypted_bytes: int) -> BootDisk:
        """Return the disk whose root file system lies on a volume on an encrypted partition of this size."""
        disk = self.volumes
        # The PARTUUID of a partition in an MBR is the disk's signature and the partition's number.
        partition = f"harness.encrypted={disk.disk_signature:08x}-02"
        command_line = f"{self.kernel_arguments} root=/dev/mapper/volumes-root {partition}"
        size_bytes = -(-encrypted_bytes // MIB) * MIB
        return BootDisk(disk.boot, command_line, disk.disk_signature, self.boot_bytes, size_bytes)

    @property
    def key_path(self) -> Path:
        """The path of the encrypted partition's key."""
        return self.folder / "root/etc/rescue-harness/volumes.key"


@dataclass(frozen=True)
class DebianSet:
    """The disks, never written to after the build; ``inputs`` maps Debian packages to versions.

    ``volumes`` is the instance's disk with its root file system on a volume on an encrypted partition.
    """

    directory: Path
    instance: Path
    rescue: Path
    volumes: Path
    inputs: dict[str, str]
    recipe: str

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the set in ``directory`` by its manifest. Raises DamagedSetError if that cannot be read."""
        manifest = read_manifest(directory)
        instance, rescue, volumes = (directory / name for name in _DISKS)
        return cls(directory, instance, rescue, volumes, manifest["inputs"], manifest["recipe"])

    def verify(self) -> None:
        """Compare size and SHA-256 of each file with the manifest. Raises DamagedSetError."""
        verify_files(self.directory, _DISKS)


def obtain_debian(progress: Progress = say_nothing) -> DebianSet:
    """Return the Debian disks for the present recipe and packages, built if they are not cached.

    Without package lists, or when a download fails, cached ones made from the same recipe serve.
    Raises HostError if there are none.
    """
    media = Recipe.load(recipe_folder())
    recipe = DebianRecipe.load(recipe_folder() / "debian")
    names = (*recipe.packages, *media.loader_packages)

    def build(inputs: dict[str, str], target: Path, work: Path, say: Progress) -> None:
        build_debian(recipe, media, inputs, target, work, say)

    cache = ImageCache(cache_root() / "images" / "debian", build, progress, read=DebianSet.read)
    memory = cache_root() / "packages-debian.json"
    return cache.obtain_for(_digest(recipe_folder()), lambda: resolve_packages(names, memory))


def _digest(folder: Path) -> str:
    """Return the hash of the Debian recipe and of the files it takes from the other recipe.

    Those files are loader configurations and the list of drivers.
    """
    parts = (
        recipe_hash(folder / "debian", _BUILDER_MODULES),
        recipe_hash(folder / "boot", ()),
        (folder / "modules.list").read_text(encoding="utf-8"),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def build_debian(
    recipe: DebianRecipe, media: Recipe, inputs: dict[str, str], target: Path, work: Path, say: Callable[[str], None]
) -> None:
    """Write the disks into ``target``; ``work`` takes the files needed only during the build (about 2 GB).

    Raises HostError if a tool is missing or fails, PackagesUnavailableError if a package cannot be fetched.
    """
    require_tools(DEBIAN_TOOLS)
    loaders = work / "root"
    loaders.mkdir(parents=True)
    unpack({name: inputs[name] for name in media.loader_packages}, loaders, work / "packages")
    archive = work / "debian.tar"
    say(f"images: installing Debian with {', '.join(recipe.packages)}; this takes a minute or more")
    _install(recipe, archive)
    say("images: making the Debian disks")
    kernel, initramfs, initramfs_of_volumes = _boot_files(archive)
    epoch = epoch_of(media.rescue.uuid)
    media_folder = work / "media"
    media_folder.mkdir()
    builder = MediaBuilder(media, Loaders(loaders, media.loaders), media_folder, epoch)
    file_systems: list[str | Path] = []
    for disk, name in ((recipe.instance, INSTANCE), (recipe.rescue, RESCUE)):
        layout = recipe.boot_disk(disk)
        builder.build_disk(layout, kernel, initramfs, target / name)
        file_systems += [target / name, disk.boot.label, disk.root_uuid, str(layout.root_offset)]
    plain = work / "volume.img"
    file_systems += [plain, recipe.volumes.boot.label, recipe.volumes.root_uuid, "0"]
    size_kib = str(recipe.root_bytes // 1024)
    run(
        *("fakeroot", "--", "sh", "-euc", _MAKE_FILE_SYSTEMS, "sh", work / "tree", archive, size_kib, *file_systems),
        environment={"E2FSPROGS_FAKE_TIME": str(epoch)},
    )
    encrypted = work / "encrypted.img"
    _encrypt(plain, encrypted, recipe.key_path)
    layout = recipe.encrypted_disk(encrypted.stat().st_size)
    builder.build_disk(layout, kernel, initramfs_of_volumes, target / VOLUMES)
    sparse = ("conv=sparse,notrunc", "bs=1M", f"seek={layout.root_offset // MIB}")
    run("dd", "status=none", f"if={encrypted}", f"of={target / VOLUMES}", *sparse)


def _encrypt(plain: Path, encrypted: Path, key: Path) -> None:
    """Write a LUKS image with the content of ``plain``; blocks that are zero there are not written."""
    secret = ("--object", f"secret,id=key,file={key}")
    size_bytes = str(plain.stat().st_size)
    # An iteration takes twenty times as long in an emulated guest as on the host that measures it here.
    run("qemu-img", "create", "-q", *secret, "-f", "luks", "-o", "key-secret=key,iter-time=10", encrypted, size_bytes)
    image = f"driver=luks,key-secret=key,file.filename={encrypted}"
    into = ("-n", "--target-is-zero", "--target-image-opts", image)
    run("qemu-img", "convert", "-q", *secret, "-f", "raw", plain, *into)


def _install(recipe: DebianRecipe, archive: Path) -> None:
    """Let mmdebstrap write the system as an archive: as root if the harness runs as root, else in a user namespace."""
    sources = debian_sources()
    enabled, masked = " ".join(recipe.enabled), " ".join(recipe.masked)
    system, drivers, customize = (
        shlex.quote(str(path))
        for path in (recipe.folder / "root", recipe.folder.parent / "modules.list", recipe.folder / "customize.sh")
    )
    hooks = (
        f"--essential-hook=sync-in {system} /",
        f"--essential-hook=upload {drivers} /etc/initramfs-tools/rescue-harness.list",
        f"--customize-hook=upload {customize} /customize.sh",
        f'--customize-hook=chroot "$1" sh /customize.sh "{enabled}" "{masked}"',
    )
    options = (
        *("--variant=minbase", "--format=tar", f"--mode={'root' if os.geteuid() == 0 else 'unshare'}"),
        *("--skip=cleanup/reproducible", "--dpkgopt=force-unsafe-io", '--aptopt=Apt::Install-Recommends "false"'),
        *(f"--aptopt={line}" for line in download_settings()),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.excluded),
        f"--include={','.join(recipe.packages)}",
    )
    command: tuple[str | Path, ...] = (
        *contained(),
        "mmdebstrap",
        *options,
        *hooks,
        sources.suite,
        archive,
        *sources.lines,
    )
    try:
        run(*command, environment={"TMPDIR": str(archive.parent)} if os.geteuid() == 0 else {})
    except HostError as error:
        if "apt-get update" in error.message or "Failed to fetch" in error.message:
            raise PackagesUnavailableError(error.message) from error
        raise


def contained() -> tuple[str, ...]:
    """Return the command prefix that ends mmdebstrap, its processes and its mounts together with the harness.

    As root mmdebstrap binds this host's /dev/shm below its folder, writable. A killed mmdebstrap would leave the mount
    there, and removing the folder would then empty the host's /dev/shm. If root may make no namespaces, as in a
    container without privileges, root may mount nothing either. An ordinary user's mmdebstrap has namespaces anyway.
    """
    dies_with_us = ("setpriv", "--pdeathsig", "KILL", "--")
    if os.geteuid() != 0:
        return dies_with_us
    try:
        run(*_NAMESPACES, "true")
    except HostError:
        return dies_with_us
    return (*dies_with_us, *_NAMESPACES)


def _boot_files(archive: Path) -> tuple[bytes, bytes, bytes]:
    """Return the installed system's kernel, its initramfs, and the initramfs that opens volumes."""
    with tarfile.open(archive) as system:
        kernel, *initramfs = (_only(system, f"./boot/{name}") for name in ("vmlinuz-", "initrd.img-", VOLUMES))
    return kernel, initramfs[0], initramfs[1]


def _only(system: tarfile.TarFile, prefix: str) -> bytes:
    found = [member for member in system if member.name.startswith(prefix)]
    content = system.extractfile(found[0]) if len(found) == 1 else None
    if content is None:
        raise HostError(f"the installed Debian has {len(found)} files {prefix.removeprefix('.')}*, not one")
    return content.read()
