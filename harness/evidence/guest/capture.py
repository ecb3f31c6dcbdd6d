"""Take the raw output of the collection script apart, without interpreting it.

Sections start with a line ``%% <name>``: a head (``settled yes``, ``udev 252``, ``no medium sr0``), attributes
(``<file>:<line>``, from grep -H), links (from ls -ld, and the links that udev's database has for each device number),
contents (blkid's words on each device, where no udev runs), traits (``<file> <line>``, digests, lines of the kernel's
log), binary (gzip, then base64, of ``==> <file> <==`` and the file's bytes, from head -v), and an end that proves the
output is complete.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from harness.errors import GuestError

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_LINE = "%% rescue-harness evidence 1"
_PROBED = "probed"
_LINK = re.compile(r"^l\S+ .*? (/.*?) -> (.*)$")
_UDEV_CLAIM = re.compile(r"/run/udev/data/b(\d+:\d+):S:disk/(by-.*)")
_FILE_NAME = re.compile(r"[A-Za-z]\w*")
_FILE_HEADER = re.compile(rb"(?:^|\n)==> (/[^\n]*) <==\n")


@dataclass(frozen=True)
class Capture:
    """Files by path: lines of text, bytes, and link targets (absolute, normalised).

    ``unsettled`` says what went on for too long: ``udev`` or ``storage``.
    ``firmware`` is the interface that the kernel found. ``claims`` are the links below /dev/disk that udev wants each
    device to have, by device number; of several devices that want a link, one has it. ``contents`` are blkid's lines;
    None if the guest cannot tell. ``undriven`` are the kinds of ACPI devices that are there and have no driver.
    """

    settled: bool
    without_medium: frozenset[str]
    lines: Mapping[str, tuple[str, ...]]
    links: Mapping[str, str]
    blobs: Mapping[str, bytes]
    unsettled: str | None = None
    udev_version: int | None = None
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contents: tuple[str, ...] | None = None
    firmware: Literal["bios", "uefi"] | None = None
    undriven: frozenset[str] = frozenset()
    traits: tuple[str, ...] = ()

    @cached_property
    def block_numbers(self) -> dict[str, str]:
        """The kernel name of each block device and partition by its device number, as in ``252:1``."""
        return {
            lines[0].strip(): posixpath.basename(posixpath.dirname(path))
            for path, lines in self.lines.items()
            if path.startswith("/sys/block/") and path.endswith("/dev") and lines
        }

    def text(self, path: str) -> str | None:
        """Return the first line of a file, without surrounding blanks; None if the file is missing or empty."""
        lines = self.lines.get(path)
        return (lines[0].strip() or None) if lines else None

    def number(self, path: str) -> int | None:
        """Return the first line of a file as a decimal number; None if missing. Raise GuestError if it is none."""
        text = self.text(path)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise unreadable(f"{path} is not a number: {text!r}") from error

    def properties(self, path: str) -> dict[str, str]:
        """Return the KEY=value lines of a uevent file."""
        return dict(line.split("=", 1) for line in self.lines.get(path, ()) if "=" in line)

    def children(self, folder: str) -> dict[str, str]:
        """Return the links directly in a folder, by name, with their targets."""
        return self._folders.get(folder, {})

    @cached_property
    def _folders(self) -> dict[str, dict[str, str]]:
        folders: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for path, target in self.links.items():
            folder, name = posixpath.split(path)
            folders[folder][name] = target
        return folders


def unreadable(what: str) -> GuestError:
    """Return the error for an inventory that cannot be read, naming the part that was wrong."""
    return GuestError(
        f"the guest's inventory is unreadable: {what}",
        hint="The raw output of the collection script is among the state's artefacts.",
    )


def parse_capture(raw: bytes | str) -> Capture:
    """Take the script's output apart; ignore lines before its first. Raise GuestError if any part is missing."""
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    sections = _sections(text)
    missing = [name for name in ("attributes", "links", "binary", "end") if name not in sections]
    if missing:
        raise unreadable(f"the output ends before its section {missing[0]!r}")
    head = sections[""]
    settling = [line.split() for line in head if line.startswith("settled ")]
    if not settling:
        raise unreadable("it does not say whether devices had settled")
    _, answer, *waited_for = settling[0]
    return Capture(
        settled=answer == "yes",
        unsettled=next(iter(waited_for), None),
        without_medium=frozenset(line.removeprefix("no medium ") for line in head if line.startswith("no medium ")),
        lines=_attributes(sections["attributes"]),
        links=_links(sections["links"]),
        blobs=_blobs("".join(sections["binary"])),
        traits=tuple(sections.get("traits", ())),
        udev_version=next((int(line[5:]) for line in head if re.fullmatch(r"udev \d+", line)), None),
        firmware="uefi" if "firmware uefi" in head else "bios" if "firmware bios" in head else None,
        undriven=frozenset(line.removeprefix("undriven ") for line in head if line.startswith("undriven ")),
        claims=_claims(sections["links"]),
        contents=_contents(sections.get("contents", [])),
    )


def _sections(text: str) -> dict[str, list[str]]:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        start = lines.index(FIRST_LINE)
    except ValueError as error:
        shown = text.strip()[-200:] or "nothing"
        raise unreadable(f"the script's first line is missing; the guest printed {shown!r}") from error
    current: list[str] = []
    sections = {"": current}
    for line in lines[start + 1 :]:
        if line.startswith("%% "):
            current = sections.setdefault(line.removeprefix("%% "), [])
        else:
            current.append(line)
    return sections


def _attributes(lines: list[str]) -> dict[str, tuple[str, ...]]:
    files: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        path, content = _split_attribute(line)
        if path:
            files[path].append(content)
    return {path: tuple(content) for path, content in files.items()}


def _split_attribute(line: str) -> tuple[str, str]:
    """Split path and content; sysfs paths hold colons (0000:00:01.0), but a file's own name never does."""
    name_start = 0
    while (colon := line.find(":", name_start)) != -1:
        if _FILE_NAME.fullmatch(line[:colon].rpartition("/")[2]):
            return line[:colon], line[colon + 1 :]
        name_start = colon + 1
    return "", ""


def _links(lines: list[str]) -> dict[str, str]:
    links = {}
    for line in lines:
        if match := _LINK.match(line):
            path, target = match.groups()
            links[path] = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return links


def _claims(lines: list[str]) -> dict[str, tuple[str, ...]]:
    claims: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        if match := _UDEV_CLAIM.fullmatch(line):
            claims[match[1]].append(match[2])
    return {number: tuple(links) for number, links in claims.items()}


def _contents(lines: list[str]) -> tuple[str, ...] | None:
    told = [line for line in lines if line]
    return tuple(told[:-1]) if told and told[-1] == _PROBED else None


def _blobs(encoded: str) -> dict[str, bytes]:
    try:
        content = gzip.decompress(base64.b64decode(encoded, validate=True))
    except (binascii.Error, OSError, EOFError) as error:
        raise unreadable(f"its binary section is damaged ({error})") from error
    parts = _FILE_HEADER.split(content)
    return {path.decode("utf-8", errors="replace"): blob for path, blob in zip(parts[1::2], parts[2::2], strict=True)}
