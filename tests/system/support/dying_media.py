"""Media that do not boot, each in its own way: copies of the harness's instance image with one thing spoilt."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

_PARTITION = "@@1M"
_MIB = 1024 * 1024
_LOADER = "EFI/BOOT/BOOTX64.EFI"

Medium = Callable[[Path, Path], None]
"""Makes a medium at the second path from the instance image at the first."""


def blank(_instance: Path, target: Path) -> None:
    """Make a medium of zeros."""
    with target.open("wb") as file:
        file.truncate(4 * _MIB)


def boot_sector(code: bytes) -> Medium:
    """Return the maker of a medium with nothing but a boot sector that runs the code, in real mode."""

    def make(instance: Path, target: Path) -> None:
        blank(instance, target)
        with target.open("r+b") as file:
            file.write(code.ljust(510, b"\0") + b"\x55\xaa")

    return make


HALTS = boot_sector(b"\xfa\xf4\xeb\xfd")  # cli; hlt; jmp back to hlt
RUNS_IN_A_CIRCLE = boot_sector(b"\xeb\xfe")  # jmp to itself
RESETS = boot_sector(b"\xea\xf0\xff\x00\xf0")  # jmp f000:fff0


def with_files(**files: bytes | None) -> Medium:
    """Return the maker of a medium with other files; None removes a file. ``__`` stands for a dot in a name."""
    return _changed({name.replace("__", "."): content for name, content in files.items()})


def with_command_line(words: str, *, initramfs: bool = True) -> Medium:
    """Return the maker of a medium whose kernel gets further words on its command line."""
    lines = ["PROMPT 0", "DEFAULT linux", "LABEL linux", "LINUX /vmlinuz", f"APPEND console=ttyS0 loglevel=5 {words}"]
    return with_files(syslinux__cfg="\n".join(lines + ["INITRD /initramfs.cpio.gz"] * initramfs).encode() + b"\n")


def altered_loader(instance: Path, target: Path) -> None:
    """Make a medium whose UEFI loader was altered after it was signed."""
    loader = bytearray(
        subprocess.run(
            ["mtype", "-i", f"{instance}{_PARTITION}", f"::{_LOADER}"], capture_output=True, check=True
        ).stdout
    )
    loader[len(loader) // 2] ^= 1
    _changed({_LOADER: bytes(loader)})(instance, target)


def _changed(files: dict[str, bytes | None]) -> Medium:
    def make(instance: Path, target: Path) -> None:
        shutil.copyfile(instance, target)
        for name, content in files.items():
            if content is None:
                subprocess.run(["mdel", "-i", f"{target}{_PARTITION}", f"::{name}"], check=True)
                continue
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                subprocess.run(["mcopy", "-o", "-i", f"{target}{_PARTITION}", file.name, f"::{name}"], check=True)

    return make


NO_GRUB_CONFIGURATION = _changed({"EFI/debian/grub.cfg": None})
