"""The store of an instance's UEFI variables, before, in and after a rescue."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.domain.placement import Placement


@dataclass
class UefiVariables:
    """One instance's store at ``path``, and the copy for a rescued guest; None without UEFI or without a copy.

    A store that somebody has removed has no content: libvirt makes a new store for the next guest.
    """

    path: Path | None
    rescue_path: Path | None
    _running: tuple[int, bytes] | None = None
    _before: bytes | None = None
    _after: bytes | None = None

    @classmethod
    def of(cls, placement: Placement) -> UefiVariables:
        """Return the UEFI variables of the instance at a placement."""
        return cls(None if placement.uefi is None else placement.uefi.variables_path, placement.rescue_variables_path)

    def look_while_running(self) -> None:
        """Remember which file the guest to be rescued has open, and its content at this moment."""
        content = self._content()
        self._running = None if self.path is None or content is None else (self.path.stat().st_ino, content)

    def look_before(self) -> None:
        """Remember the variables before a rescue, with the guest off: a running one may still write to them.

        If another file is there by now, the guest did not write it. Then the variables are those from before.
        """
        self._before = self._content()
        if self._running is not None and self.path is not None:
            file, content = self._running
            if not self.path.is_file() or self.path.stat().st_ino != file:
                self._before = content

    def look_after(self) -> None:
        """Remember the variables after a rescue."""
        self._after = self._content()

    def give_to_rescue(self) -> None:
        """Copy the variables for the rescued guest to begin with."""
        if self.path is not None and self.rescue_path is not None and self.path.is_file():
            shutil.copyfile(self.path, self.rescue_path)

    def digest(self) -> str | None:
        """Return a digest of the present variables; None if there are none."""
        content = self._content()
        return None if content is None else hashlib.blake2b(content, digest_size=16).hexdigest()

    @property
    def are_restored(self) -> bool | None:
        """True if the variables are the same before and after the rescue; None without UEFI."""
        if self.path is None:
            return None
        return self._before is not None and self._before == self._after

    def _content(self) -> bytes | None:
        return self.path.read_bytes() if self.path is not None and self.path.is_file() else None
