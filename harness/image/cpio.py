"""Archives in cpio's "newc" format, as the kernel unpacks them (its Documentation: driver-api/early-userspace).

The harness writes archives itself, without cpio(1): then owners, times and device nodes are the same for every builder,
and the builder need not be root.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field


@dataclass
class Archive:
    """A growing archive of files owned by root, all with the time ``mtime`` (seconds since 1970)."""

    mtime: int
    _parts: list[bytes] = field(default_factory=list)
    _folders: set[str] = field(default_factory=set)
    _inode: int = 0

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Add a regular file and the folders above it."""
        self.folder(path.rpartition("/")[0])
        self._append(path, stat.S_IFREG | mode, content)

    def folder(self, path: str, mode: int = 0o755) -> None:
        """Add a folder and the folders above it, unless the archive has them already."""
        if not path or path in self._folders:
            return
        self.folder(path.rpartition("/")[0])
        self._folders.add(path)
        self._append(path, stat.S_IFDIR | mode)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self.folder(path.rpartition("/")[0])
        self._append(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        """Add a device node."""
        self.folder(path.rpartition("/")[0])
        self._append(path, stat.S_IFCHR | mode, device=(major, minor))

    def to_bytes(self) -> bytes:
        """Return the archive with its trailer."""
        return b"".join([*self._parts, self._entry("TRAILER!!!", 0, 0, b"", (0, 0))])

    def _append(self, path: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self._inode += 1
        self._parts.append(self._entry(path, self._inode, mode, content, device))

    def _entry(self, path: str, inode: int, mode: int, content: bytes, device: tuple[int, int]) -> bytes:
        name = path.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        numbers = (inode, mode, 0, 0, links, self.mtime, len(content), 0, 0, *device, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name
        return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
