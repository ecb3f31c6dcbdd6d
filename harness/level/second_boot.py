"""The second boot: no single boot decides that a state does not come up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.errors import DidNotBoot, GuestError
from harness.level.outcome import Progress

R = TypeVar("R")


def booted_or_dead(boot: Callable[[], R], again: Callable[[], R], progress: Progress) -> R:
    """Return what comes up; if it does not, boot ``again``.

    Raises:
        DidNotBoot: neither boot came up.
        GuestError: only the second boot came up, so nobody can say if the state does.
    """
    try:
        return boot()
    except DidNotBoot as error:
        first = error
    progress("nothing came up: once more")
    again()
    raise GuestError(
        f"{first.message}; a second boot came up, so that nothing is certain",
        console_tail=first.console_tail,
        domain_state=first.domain_state,
        hint=first.hint,
    ) from first
