"""The last words of boots that are over, on the serial console: whose words they are, and how sure they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Death(StrEnum):
    """The kinds of boots that are over; each value is what a message says of the guest."""

    NOTHING_TO_BOOT = "the firmware found nothing to boot from"
    FIRMWARE_REFUSED = "the firmware refused to start an unsigned or altered program (secure boot)"
    FIRMWARE_SHELL = "the firmware found nothing to boot from and went to its shell"
    FIRMWARE_STOPPED = "the firmware, or a boot loader in it, waits for a key"
    LOADER_FAILED = "the boot loader failed"
    LOADER_PROMPT = "the boot loader stopped at its prompt"
    LOADER_STOPPED = "the boot loader stopped without a word"
    NO_ROOT = "no root file system was found"
    PANIC = "the kernel panicked"
    NOT_UNPACKED = "the kernel could not unpack itself"
    INITRAMFS_SHELL = "the initramfs gave up and opened a shell"
    EMERGENCY_SHELL = "the system opened an emergency shell"
    NO_SSH = "the system asks for a login and lets nobody in over SSH"
    HALTED = "the system halted"
    POWERED_OFF = "the guest powered itself off"
    STARTS_OVER = "the guest starts over again and again"


class Sure(StrEnum):
    """The condition under which words are the last ones.

    ``ONCE``: they are said. ``QUIET``: nothing comes after them. ``PROMPT``: they are the last line, and nothing comes
    after them. ``IDLE``: also, the guest has nothing to do. ``LONG``: they are a prompt that may have a time-out.
    ``THRICE``: they are said three times, or nothing comes after them.
    """

    ONCE = "once"
    QUIET = "quiet"
    PROMPT = "prompt"
    IDLE = "idle"
    LONG = "long"
    THRICE = "thrice"


@dataclass(frozen=True)
class Row:
    """Words that a line of the console has, the kind of death that they tell, and when they are sure to be the last."""

    death: Death
    sure: Sure
    pattern: re.Pattern[str]


def _row(death: Death, sure: Sure, pattern: str) -> Row:
    return Row(death, sure, re.compile(pattern))


ROWS = (
    _row(Death.NO_ROOT, Sure.ONCE, r"^Kernel panic - not syncing: (VFS: Unable to mount root|No working init found)"),
    _row(Death.NO_ROOT, Sure.ONCE, r"^Gave up waiting for root (file system )?device|^ALERT!.* does not exist"),
    _row(Death.PANIC, Sure.ONCE, r"^Kernel panic - not syncing: "),
    _row(Death.NOT_UNPACKED, Sure.ONCE, r"^ *-- System halted"),
    _row(Death.HALTED, Sure.QUIET, r"^reboot: (System halted|Power down)|^System halted\.$"),
    _row(Death.FIRMWARE_REFUSED, Sure.QUIET, r"Verification failed: \(0x1A\) Security Violation"),
    _row(Death.NOTHING_TO_BOOT, Sure.QUIET, r"^No bootable device\.|^BdsDxe: No bootable option or device was found"),
    _row(Death.FIRMWARE_SHELL, Sure.PROMPT, r"^(Shell|FS\d+:\S*|BLK\d+:\S*)> ?$"),
    _row(Death.LOADER_PROMPT, Sure.PROMPT, r"^grub( rescue)?> ?$|^iPXE> ?$"),
    _row(Death.LOADER_PROMPT, Sure.QUIET, r"Press enter to boot the selected OS"),
    _row(Death.LOADER_FAILED, Sure.QUIET, r"^(Missing operating system|Operating system load error|Boot error)\b"),
    _row(
        Death.LOADER_FAILED, Sure.QUIET, r"^isolinux(\.bin missing or corrupt|: Disk error)|^Boot failed: press a key"
    ),
    _row(Death.LOADER_FAILED, Sure.THRICE, r"^Loading \S+?\.*\s*failed: |^Could not find kernel image: "),
    _row(Death.LOADER_FAILED, Sure.THRICE, r"^Booting kernel failed: |^Invalid or corrupt kernel image"),
    _row(
        Death.LOADER_FAILED, Sure.QUIET, r"No configuration file found|No DEFAULT or UI configuration directive found"
    ),
    _row(Death.LOADER_PROMPT, Sure.LONG, r"^boot: ?$"),
    _row(Death.INITRAMFS_SHELL, Sure.PROMPT, r"^\(initramfs\) ?$|^dracut:\S*# ?$|^\[rootfs \S*\]# ?$"),
    _row(Death.EMERGENCY_SHELL, Sure.QUIET, r"^You are in (emergency|rescue) mode\."),
    _row(Death.EMERGENCY_SHELL, Sure.QUIET, r"^Cannot open access to console, the root account is locked"),
    _row(Death.EMERGENCY_SHELL, Sure.PROMPT, r"(for maintenance|Control-D to continue)\)?: ?$"),
    _row(Death.NO_SSH, Sure.IDLE, r"(^|\S )login: ?$"),
)
_KERNEL_STAMP = re.compile(r"\[ *\d+\.\d{6}\] ")
_STARTS = (
    re.compile(r"SeaBIOS \(version "),
    re.compile(r"^SYSLINUX \d|^ISOLINUX \d", re.MULTILINE),
    re.compile(r"Welcome to GRUB!"),
    re.compile(r"^(\[ *0\.0+\] )?Linux version ", re.MULTILINE),
)
_TOO_OFTEN = 4
"""Shim resets a machine once, a first boot of a cloud image may reboot: no guest starts four times."""
_DENIED = re.compile(
    r"^BdsDxe: failed to (load|start) .*: (Access Denied|Security Violation)|^error: .*bad shim signature", re.MULTILINE
)
_LAST_LINES = 40
_THRICE = 3


@dataclass(frozen=True)
class LastWords:
    """Words on a console that end a boot, once they are sure."""

    death: Death
    sure: Sure
    line: str


@dataclass(frozen=True)
class Line:
    """A line of a console; the kernel's own lines have a time stamp, which ``text`` leaves out."""

    text: str
    of_kernel: bool = False


def lines_of(console: str) -> tuple[Line, ...]:
    """Return the lines that are not empty; a message that the kernel prints behind a prompt is a line of its own."""
    return tuple(line for raw in console.splitlines() for line in _pieces(raw))


def _pieces(raw: str) -> Iterable[Line]:
    first, *others = _KERNEL_STAMP.split(raw)
    if first.strip():
        yield Line(first.strip())
    yield from (Line(other.strip(), of_kernel=True) for other in others if other.strip())


def last_words(console: str) -> LastWords | None:
    """Return the words on a console that end a boot, or None; ``sure`` says what must be true besides."""
    lines = lines_of(console)
    for row in ROWS:
        found = _spoken(row, lines)
        if found is not None:
            return found
    return None


def denied(console: str) -> str | None:
    """Return the line in which UEFI or GRUB says that it does not start a program without a good signature, or None."""
    match = _DENIED.search(console)
    return None if match is None else match[0]


def starts_over(console: str) -> bool:
    """Tell whether firmware, a loader or a kernel greets so often that the guest cannot but start over for ever."""
    return any(len(pattern.findall(console)) >= _TOO_OFTEN for pattern in _STARTS)


def _spoken(row: Row, lines: tuple[Line, ...]) -> LastWords | None:
    if row.sure in (Sure.PROMPT, Sure.IDLE, Sure.LONG):
        candidates = [line.text for line in lines if not line.of_kernel][-1:]
    else:
        candidates = [line.text for line in (lines if row.sure is Sure.ONCE else lines[-_LAST_LINES:])]
    said = [text for text in candidates if row.pattern.search(text)]
    if not said:
        return None
    sure = Sure.ONCE if row.sure is Sure.THRICE and len(said) >= _THRICE else row.sure
    return LastWords(row.death, Sure.QUIET if sure is Sure.THRICE else sure, said[0])
