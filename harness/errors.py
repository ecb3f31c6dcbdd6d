"""The few ways in which a case can end without a verdict: each says what happened and how to go on."""

from __future__ import annotations

import errno
import os
from copy import copy
from enum import StrEnum
from pathlib import Path
from typing import Self

_EXHAUSTION = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EADDRINUSE)


class HarnessError(Exception):
    """Root of the tree: a message for the user and, where there is one, a hint at the next step."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  {self.hint}"


class ScenarioError(HarnessError):
    """The user's input is wrong: the message lists every problem with file, line and key."""

    exit_code = 2


class HostError(HarnessError):
    """QEMU, libvirt, the accelerator or the disk of this host failed."""


class HostExhaustedError(HostError):
    """The host is out of memory, disk space or file descriptors; such a failure says nothing about the product."""


class GuestError(HarnessError):
    """A guest did not boot, answer or obey; carries the guest's last console lines and its domain's state."""

    def __init__(
        self,
        message: str,
        *,
        console_tail: str = "",
        domain_state: str = "unknown",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.console_tail = console_tail
        self.domain_state = domain_state

    def with_evidence(self, *, console_tail: str, domain_state: str, hint: str | None) -> Self:
        """Return the same error with the guest's last console lines, its domain's state and a hint."""
        told = copy(self)
        told.console_tail, told.domain_state, told.hint = console_tail, domain_state, hint
        return told

    def __str__(self) -> str:
        lines = [self.message, f"  domain: {self.domain_state}"]
        if self.console_tail:
            lines.append("  last console lines:")
            lines.extend(f"    | {line}" for line in self.console_tail.splitlines())
        if self.hint is not None:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


class DidNotBoot(GuestError):  # noqa: N818 - of a rescued or unrescued guest this is a finding
    """A guest will not come up any more; the message says what its firmware, loader or kernel came to.

    ``only_its_time_ran_out``: nothing shows that the boot is over, but the guest has used up the time it was given.
    ``quiet_s``: the guest's own time in seconds from its last sign of life until it was given up, if that was measured.
    """

    def __init__(
        self,
        message: str,
        *,
        only_its_time_ran_out: bool = False,
        quiet_s: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.only_its_time_ran_out = only_its_time_ran_out
        self.quiet_s = quiet_s


class NotAskedError(HarnessError):
    """The harness has no way to ask the implementation under test for something: no refusal, and no verdict."""


class GuestAfter(StrEnum):
    """The guest's state after a refusal, the least harm first: untouched, shut off, or the instance never made."""

    RUNNING = "running"
    SHUT_OFF = "shut-off"
    NEVER_MADE = "never-made"


class Refused(HarnessError):  # noqa: N818 - an outcome of the implementation under test, not a failure of ours
    """The implementation under test declined; ``refused_by`` says on whose behalf, ``guest`` the state of the guest."""

    def __init__(self, reason: str, *, refused_by: str = "reference", guest: GuestAfter = GuestAfter.RUNNING) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refused_by = refused_by
        self.guest = guest

    @property
    def sentence(self) -> str:
        """The whole refusal for people: who refused, and why."""
        return f"{who_refused(self.refused_by, self.guest)}: {self.reason}"


def who_refused(refused_by: str, guest: GuestAfter) -> str:
    """Return the name of the one who refused, and whether the refusal came too late for the guest."""
    return f"refused by {refused_by}{', guest off' if guest is GuestAfter.SHUT_OFF else ''}"


def require_resources(said: str) -> None:
    """Raise an error if a failure's message shows that the host ran out of a resource.

    ``said`` is the message of libvirt, QEMU or Nova. All three pass on the words of strerror(3).

    Raises:
        HostExhaustedError: the message names an exhausted resource.
    """
    if any(os.strerror(number) in said for number in _EXHAUSTION):
        raise HostExhaustedError(said, hint="free what the host has too little of, and run it again")


def disk_error(error: OSError, folder: Path, *, variable: str = "RESCUE_HARNESS_CACHE") -> HostError:
    """Return the error that explains a failed write; ``variable`` names the setting that moves the folder."""
    is_exhausted = error.errno in _EXHAUSTION
    return (HostExhaustedError if is_exhausted else HostError)(
        f"{error.strerror or error} while writing below {folder}",
        hint=f"free some space there, or set {variable} to a folder that has it"
        if is_exhausted
        else f"set {variable} to a folder that takes it",
    )
