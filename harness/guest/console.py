"""The guest's serial console, as the file QEMU writes it to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 12
_READY = re.compile(r"rescue-harness: ready (?P<host_key>ssh-\S+ \S+) (?P<boot_id>[0-9a-f-]{36})")
_NEW_LINE = re.compile(r"\x1bc|\x1b\[2J|\x1b\[\d+;0?1H")
"""Firmware clears the screen, or goes to the first column of another line, where others end a line."""
_CONTROL = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|[^\x09\x0a\x20-\x7e]")


@dataclass(frozen=True)
class Ready:
    """The guest's report that its SSH server listens: the server's key and the boot id."""

    host_key: str
    boot_id: str


@dataclass(frozen=True)
class Console:
    """A reader of the log that the guest's serial port writes, after the first ``skipped_bytes``."""

    path: Path
    skipped_bytes: int = 0

    def text(self) -> str:
        """Return everything that the guest printed, without control sequences."""
        try:
            raw = self.path.read_bytes()[self.skipped_bytes :]
        except FileNotFoundError:
            return ""
        return _CONTROL.sub("", _NEW_LINE.sub("\n", raw.decode("utf-8", "replace")))

    def tail(self) -> str:
        """Return the last lines that are not empty."""
        lines = [line.rstrip() for line in self.text().splitlines()]
        return "\n".join([line for line in lines if line][-TAIL_LINES:])

    def ready(self) -> Ready | None:
        """Return the guest's ready line, or None if the guest has not printed it yet."""
        match = _READY.search(self.text())
        return None if match is None else Ready(match["host_key"], match["boot_id"])
