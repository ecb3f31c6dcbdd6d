"""Compute the links below /dev/disk that name what is on a device, from blkid's words, as udev makes them.

Source: rules.d/60-persistent-storage.rules of systemd 252; the encoding is libblkid's blkid_encode_string.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ALLOWED = frozenset(string.ascii_letters + string.digits + "#+-.:=@_")
_USAGES = frozenset({"filesystem", "other", "crypto"})
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.)")


def content_links(lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the links by kernel name of disk or partition, each as folder and name, from ``blkid -p -o export``."""
    links: dict[str, tuple[str, ...]] = {}
    values: dict[str, str] = {}
    for line in (*lines, "DEVNAME="):
        name, _, value = line.partition("=")
        if name == "DEVNAME":
            if device := values.get("DEVNAME", "").removeprefix("/dev/"):
                links[device] = tuple(_links(values))
            values = {}
        values[name] = _ESCAPE.sub(_unescaped, value)
    return links


def _links(values: dict[str, str]) -> Iterator[str]:
    if values.get("USAGE") in _USAGES:
        if uuid := values.get("UUID"):
            yield f"by-uuid/{_encoded(uuid)}"
        if label := values.get("LABEL"):
            yield f"by-label/{_encoded(label)}"
    if uuid := values.get("PART_ENTRY_UUID"):
        yield f"by-partuuid/{uuid}"
    if values.get("PART_ENTRY_SCHEME") == "gpt" and (name := values.get("PART_ENTRY_NAME")):
        yield f"by-partlabel/{_encoded(name)}"


def _encoded(text: str) -> str:
    return "".join(each if each in _ALLOWED or ord(each) > 127 else f"\\x{ord(each):02x}" for each in text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 3 else code
