"""A boot as a sequence of looks: the guest is alive until two looks and more agree that the boot is over.

A boot is over in a state that nothing but a key or a reset ends. Two sources tell such a state: the last words on the
serial console, and a CPU that rests before any kernel runs while neither disks nor console show activity. All times are
the guest's own (``own_time_s``), so a busy host makes nobody look dead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.guest.boot.cpu import CpuPlace
from harness.guest.boot.last_words import Death, LastWords, Sure, denied, last_words, lines_of, starts_over
from harness.guest.boot.look import START, Look, own_time_s

_FEW_BYTES = 64 * 1024
"""Firmware that found no boot loader has read boot sectors and directories, and no more."""
_NETWORK_BOOT = re.compile(
    r"^(>>Start |iPXE initialising|Waiting for link|Configuring \(net|net\d+: |https?://|tftp://)"
)
"""The last line of firmware and of loaders that wait for the network; SeaBIOS shows iPXE's banner at every boot."""


@dataclass(frozen=True)
class Patience:
    """The times without activity after which a boot in a final state is over, in seconds of the guest's own time.

    ``prompt_s``: last words that nothing but a key continues. ``rest_s``: a CPU that rests in firmware or loader.
    ``idle_s``: a login prompt. ``long_s``: states that a time-out may end.
    """

    prompt_s: float
    rest_s: float
    idle_s: float
    long_s: float

    @classmethod
    def of(cls, canary_s: float, *, by_cloud_init: bool = False) -> Patience:
        """Return the times that suit a host on which the canary took ``canary_s``.

        SeaBIOS offers its boot menu for 2.5 s. cloud-init may make the account after the login prompt has come.
        """
        return cls(
            prompt_s=max(2.0, 0.6 * canary_s),
            rest_s=max(4.0, canary_s),
            idle_s=max(4.0, 1.2 * canary_s) * (4 if by_cloud_init else 1),
            long_s=max(35.0, 8 * canary_s),
        )


@dataclass(frozen=True)
class Dead:
    """A boot that is over; ``words`` is the console's line that says so, empty where nothing was said."""

    death: Death
    words: str = ""

    @property
    def sentence(self) -> str:
        """The kind of death, with the words behind it."""
        return f"{self.death}: '{self.words}'" if self.words else str(self.death)


@dataclass(frozen=True)
class BootWatch:
    """The looks at a boot so far, summed up.

    ``own_s`` is the guest's own time since its start. ``quiet_since_s`` is the own time of the last activity.
    ``places`` are the places of the CPU at the looks since then. ``agreed`` looks in a row had last words of one kind.
    """

    look: Look = START
    own_s: float = 0.0
    quiet_since_s: float = 0.0
    places: tuple[CpuPlace | None, ...] = ()
    words: LastWords | None = None
    agreed: int = 0

    def after(self, look: Look) -> BootWatch:
        """Return the watch after one more look."""
        own_s = self.own_s + own_time_s(self.look, look)
        has_news = look.console != self.look.console or look.disks != self.look.disks
        words = last_words(look.console) if has_news else self.words
        agrees = words is not None and self.words is not None and words.death is self.words.death
        return BootWatch(
            look=look,
            own_s=own_s,
            quiet_since_s=own_s if has_news else self.quiet_since_s,
            places=(look.cpu,) if has_news else (*self.places, look.cpu),
            words=words,
            agreed=self.agreed + 1 if agrees else 1,
        )

    @property
    def quiet_s(self) -> float:
        """The guest's own time without activity on disks or console."""
        return self.own_s - self.quiet_since_s

    def dead(self, patience: Patience) -> Dead | None:
        """Return how the boot ended, or None while the guest may still come up."""
        if starts_over(self.look.console):
            return Dead(Death.STARTS_OVER, self.words.line if self.words is not None else "")
        return self._by_words(patience) or self._by_rest(patience)

    def _by_words(self, patience: Patience) -> Dead | None:
        words = self.words
        if words is None or self.agreed < 2:
            return None
        needed_s = {Sure.ONCE: 0.0, Sure.IDLE: patience.idle_s, Sure.LONG: patience.long_s}
        if self.quiet_s < needed_s.get(words.sure, patience.prompt_s):
            return None
        if words.sure is Sure.IDLE and not self._mostly_halted:
            return None
        may_be_denied = words.death in (Death.NOTHING_TO_BOOT, Death.FIRMWARE_SHELL, Death.LOADER_PROMPT)
        if may_be_denied and (line := denied(self.look.console)):
            return Dead(Death.FIRMWARE_REFUSED, line)
        return Dead(words.death, words.line)

    def _by_rest(self, patience: Patience) -> Dead | None:
        """Judge by the CPU alone: a guest without a serial console says nothing."""
        places = [place for place in self.places if place is not None]
        if len(places) < 4 or len(places) < len(self.places):
            return None
        halted = all(place.halted for place in places)
        has_paging = any(place.paging for place in places)
        if not all(place.before_a_kernel for place in places) or (has_paging and not halted):
            return None
        is_still = halted or len({place.address for place in places}) == 1
        if self.quiet_s < (patience.rest_s if is_still and not self._boots_from_network else patience.long_s):
            return None
        if halted and (places[-1].in_bios or has_paging):
            few = sum(self.look.disks.values()) <= _FEW_BYTES
            return Dead(Death.NOTHING_TO_BOOT if few else Death.FIRMWARE_STOPPED)
        return Dead(Death.LOADER_STOPPED)

    @property
    def _mostly_halted(self) -> bool:
        halted = sum(place is not None and place.halted for place in self.places)
        return halted >= 0.8 * len(self.places)

    @property
    def _boots_from_network(self) -> bool:
        """True if the traffic that keeps the guest busy may be none of its disks'.

        A floppy's loader fetches the rest over the network, and QEMU does not count what is read from a floppy.
        """
        has_floppy = any(name.startswith("fd") for name in self.look.disks)
        return has_floppy or any(_NETWORK_BOOT.search(line.text) for line in lines_of(self.look.console)[-1:])
