"""The guest's serial console, as the file QEMU writes it to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 12
_READY = re.compile(r"rescue-harness: ready (?P<host_key>ssh-\S+ \S+) (?P<boot_id>[0-9a-f-]{36})")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[^\x09\x0a\x20-\x7e]")


@dataclass(frozen=True)
class Ready:
    """What a guest says when its SSH server listens: the server's key and the boot id."""

    host_key: str
    boot_id: str


@dataclass(frozen=True)
class Console:
    """Reads the log that the guest's serial port writes."""

    path: Path

    def text(self) -> str:
        """All that was printed, without control sequences."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return ""
        return _CONTROL.sub("", raw.decode("utf-8", "replace"))

    def tail(self) -> str:
        """The last lines that say something."""
        lines = [line.rstrip() for line in self.text().splitlines()]
        return "\n".join([line for line in lines if line][-TAIL_LINES:])

    def ready(self) -> Ready | None:
        """The guest's ready line, if it has come."""
        match = _READY.search(self.text())
        return None if match is None else Ready(match["host_key"], match["boot_id"])
