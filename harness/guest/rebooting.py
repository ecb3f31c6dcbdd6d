"""A reboot from inside a guest: the guest asks for it, and QEMU and its devices stay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness.deadline import Deadline
from harness.errors import GuestError
from harness.guest.booted import BootedGuest, reached

# Under systemd in order; the harness's own guest has nothing to stop. In the background, so that SSH answers first.
_REBOOT = """\
sync
{
    sleep 1
    if [ -d /run/systemd/system ]; then systemctl reboot; else reboot -f; fi
} </dev/null >/dev/null 2>&1 &
"""
_POLL_S = 0.5


@contextmanager
def rebooted(guest: BootedGuest) -> Iterator[BootedGuest]:
    """Have a guest reboot itself, and wait until it answers over SSH with another boot id.

    Raises:
        GuestError: the guest does not come up again in time, or QEMU ends; carries console and domain state.
    """
    started, printed = time.monotonic(), guest.console.path.stat().st_size
    guest.run(_REBOOT)
    if not guest.login.says_ready:
        _wait_until_gone(guest)
    with reached(
        guest.hypervisor,
        guest.domain,
        console_path=guest.console.path,
        screen_path=guest.screen_path,
        login=guest.login,
        started=started,
        printed_bytes=printed,
        ssh_port=guest.ssh_port,
    ) as again:
        if again.ready.boot_id == guest.ready.boot_id:
            raise again.explained("the guest was to reboot, and has the same boot id")
        yield again


def _wait_until_gone(guest: BootedGuest) -> None:
    """Wait until the boot that was told to reboot answers no more.

    Raises:
        GuestError: the guest still answers after the time that a boot may take.
    """
    deadline = Deadline.after(guest.pace.boot_s)
    while not deadline.passed:
        try:
            guest.run("true")
        except GuestError:
            return
        time.sleep(_POLL_S)
    raise guest.explained(f"the guest was told to reboot, and did not within {deadline.timeout_s:.0f} s")
