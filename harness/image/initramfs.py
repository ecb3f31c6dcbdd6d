"""The guest's user space: busybox, a few programs, chosen kernel modules and the recipe's guest folder."""

from __future__ import annotations

import gzip
import lzma
import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HostError
from harness.image.command import run
from harness.image.cpio import Archive

if TYPE_CHECKING:
    from harness.image.recipe import Recipe

_LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
_INTERPRETER = "lib64/ld-linux-x86-64.so.2"
_GZIP_LEVEL = 6


def kernel_version(root: Path) -> str:
    """Return the release of the one kernel unpacked below ``root``.

    Raises HostError if there is no kernel, or more than one.
    """
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise HostError(f"expected one kernel among the unpacked packages, found {len(kernels)}")
    return kernels[0].name.removeprefix("vmlinuz-")


def build_initramfs(recipe: Recipe, root: Path, mtime: int) -> bytes:
    """Return the compressed archive made from the packages unpacked below ``root``."""
    archive = Archive(mtime)
    for folder in ("dev/pts", "proc", "sys", "run", "medium", "usr/bin", "usr/sbin"):
        archive.folder(folder)
    archive.folder("tmp", 0o1777)
    archive.folder("root", 0o700)
    archive.folder("root/.ssh", 0o700)
    archive.character_device("dev/console", 5, 1)
    guest = recipe.folder / "guest"
    for path in sorted(path for path in guest.rglob("*") if path.is_file()):
        content = path.read_bytes()
        archive.file(str(path.relative_to(guest)), content, 0o755 if content.startswith(b"#!") else 0o644)
    _add_busybox(archive, root)
    _add_programs(archive, root, recipe.programs)
    _add_modules(archive, root, recipe.modules)
    return gzip.compress(archive.to_bytes(), _GZIP_LEVEL, mtime=0)


def _add_busybox(archive: Archive, root: Path) -> None:
    binary = next(path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.exists())
    archive.file("bin/busybox", binary.read_bytes(), 0o755)
    for applet in run(binary, "--list").split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    archive.link("sbin", "bin")


def _add_programs(archive: Archive, root: Path, programs: tuple[str, ...]) -> None:
    interpreter = next(
        path for folder in _LIBRARY_FOLDERS if (path := root / folder / _INTERPRETER.rpartition("/")[2]).exists()
    )
    search = ":".join(str(root / folder) for folder in _LIBRARY_FOLDERS)
    libraries: set[Path] = set()
    for program in programs:
        source = root / program if (root / program).exists() else root / program.removeprefix("usr/")
        archive.file(program, source.read_bytes(), 0o755)
        for line in run(interpreter, "--library-path", search, "--list", source).splitlines():
            if match := re.fullmatch(r"\s*\S+ => (.+) \(0x[0-9a-f]+\)", line):
                libraries.add(Path(match.group(1)))
    for library in sorted(libraries):
        if not library.is_relative_to(root):
            raise HostError(f"no package of the recipe has {library.name}", hint="add it to recipe.toml's libraries")
        archive.file(f"{_LIBRARY_FOLDERS[0]}/{library.name}", library.read_bytes(), 0o755)
    archive.file(_INTERPRETER, interpreter.read_bytes(), 0o755)


def _add_modules(archive: Archive, root: Path, names: tuple[str, ...]) -> None:
    version = kernel_version(root)
    base = root if (root / "lib/modules").is_dir() else root / "usr"
    run("depmod", "-b", base, version)
    source = base / "lib/modules" / version
    target = f"lib/modules/{version}"
    paths, needs = _dependencies(source)
    soft = _soft_dependencies(source)
    modules = {module for name in names if name in paths for module in (name, *needs[name])}
    dependencies: list[str] = []
    for module in sorted(modules):
        archive.file(f"{target}/{module}.ko", _module_content(source / paths[module]))
        first = [before for name in soft.get(module, ()) if name in names for before in (name, *needs[name])]
        # busybox loads the modules of a line in reverse order.
        wanted = dict.fromkeys([*first, *needs[module]])
        dependencies.append(f"{module}.ko: {' '.join(f'{name}.ko' for name in wanted)}".rstrip())
    archive.file(f"{target}/modules.dep", _lines(dependencies))
    aliases = _records(source / "modules.alias")
    archive.file(f"{target}/modules.alias", _lines([line for line in aliases if line.rpartition(" ")[2] in modules]))


def _dependencies(source: Path) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the path of each module, and all modules that each module needs; the one to load first comes last."""
    paths: dict[str, str] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for line in _records(source / "modules.dep"):
        path, _, rest = line.partition(":")
        paths[_module_name(path)] = path
        needs[_module_name(path)] = tuple(map(_module_name, rest.split()))
    return paths, needs


def _soft_dependencies(source: Path) -> dict[str, tuple[str, ...]]:
    """Return the modules to load before each module, if they exist (uhci_hcd: ehci_pci); busybox ignores this rule."""
    soft: dict[str, tuple[str, ...]] = {}
    for line in _records(source / "modules.softdep"):
        if match := re.fullmatch(r"softdep (\S+) pre: (.*?)( post: .*)?", line):
            soft[match.group(1)] = tuple(map(_module_name, match.group(2).split()))
    return soft


def _records(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def _module_name(path: str) -> str:
    return re.sub(r"\.ko(\.\w+)?$", "", path.rpartition("/")[2]).replace("-", "_")


def _module_content(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
