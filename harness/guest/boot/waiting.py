"""Waiting for a guest: until it is ready, until nothing can make it ready any more, or until its time is used up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import libvirt

from harness.errors import DidNotBoot, GuestError
from harness.guest.boot.allowance import Allowance
from harness.guest.boot.last_words import Death
from harness.guest.boot.looking import Observer
from harness.guest.boot.tried import disks_read
from harness.guest.boot.watch import BootWatch, Dead, Patience
from harness.hypervisor.host import Hypervisor

_LOOK_EVERY_S = 0.5
_BEFORE_A_SYSTEM = {
    Death.NOTHING_TO_BOOT,
    Death.FIRMWARE_REFUSED,
    Death.FIRMWARE_SHELL,
    Death.FIRMWARE_STOPPED,
    Death.LOADER_FAILED,
    Death.LOADER_PROMPT,
    Death.LOADER_STOPPED,
    Death.STARTS_OVER,
}
"""The deaths of which the disks that were read tell more."""


@dataclass
class BootWait:
    """The hope that a started guest comes up.

    ``says_ready``: a system that has booted says so. Another one may run, and let nobody in.
    """

    hypervisor: Hypervisor
    observer: Observer
    allowance: Allowance
    patience: Patience
    says_ready: bool
    hint: Callable[[], str | None] = lambda: None
    _watch: BootWatch = field(default_factory=BootWatch)
    _looked_at: float = 0.0

    def require_hope(self, trouble: str) -> None:
        """Raise an error if no further waiting helps; look at the guest twice a second at most.

        Raises:
            DidNotBoot: the boot is over, or a guest that says when it is ready has used up its own time.
            GuestError: the run was interrupted, QEMU stopped the guest, or nobody was let in.
        """
        if self.hypervisor.cancelled.is_set():
            raise GuestError("the run was interrupted")
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._require_running()
        self._watch = watch = self._watch.after(self.observer.look())
        self._looked_at = now
        if (dead := watch.dead(self.patience)) is not None:
            raise self._over(dead)
        if self.allowance.is_used_up(watch):
            raise self._given_up(f"{trouble} {self.allowance.told(watch)}")

    def _require_running(self) -> None:
        try:
            state, reason = self.observer.domain.state()
        except libvirt.libvirtError as error:
            raise DidNotBoot(f"QEMU ended before the guest was ready: {error}") from error
        if state == libvirt.VIR_DOMAIN_SHUTOFF and reason == libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN:
            raise DidNotBoot(f"{Death.POWERED_OFF} before it was ready", quiet_s=self._watch.quiet_s)
        if state in (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_CRASHED):
            raise DidNotBoot("QEMU ended before the guest was ready")
        if state == libvirt.VIR_DOMAIN_PAUSED and reason == libvirt.VIR_DOMAIN_PAUSED_IOERROR:
            raise GuestError("QEMU stopped the guest because a disk could not be read or written")

    def _over(self, dead: Dead) -> GuestError:
        if dead.death is Death.NO_SSH and not self.says_ready:
            return GuestError(dead.sentence, hint=self.hint())
        return DidNotBoot(self._epitaph(dead), quiet_s=self._watch.quiet_s)

    def _given_up(self, told: str) -> GuestError:
        slow = "if the host is only slow, give it longer with --boot-timeout (pytest: --rescue-boot-timeout)"
        advice = "\n  ".join(filter(None, (self.hint(), slow)))
        if self.says_ready and self._watch.own_s >= self.allowance.own_s:
            return DidNotBoot(told, only_its_time_ran_out=True, hint=advice)
        return GuestError(told, hint=advice)

    def _epitaph(self, dead: Dead) -> str:
        if dead.death not in _BEFORE_A_SYSTEM:
            return dead.sentence
        return f"{dead.sentence}; {disks_read(self.observer.domain.XMLDesc(0), self._watch.look.disks)}"
