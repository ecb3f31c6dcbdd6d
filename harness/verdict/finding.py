"""Describe one way in which a claim does not hold."""

from __future__ import annotations

from typing import Literal

from harness.evidence.inventory import State
from harness.frozen import Frozen
from harness.scenario.words import ClaimName


class Finding(Frozen):
    """One way in which a claim does not hold: the device, its state before and after, and the cause.

    ``cause`` is ``kernel-race`` if control boots showed that the guest's own probing varies; ``rate`` then says in how
    many boots of how many. ``cause`` is ``reboot`` if control boots showed that any boot gives the new name, because
    the normal name was seen on a guest with devices attached or detached while it ran. ``cause`` is ``model`` if the
    guest contradicts the harness's prediction. None of these counts against the rescue.
    """

    claim: ClaimName
    aspect: ClaimName | None = None
    device: str
    before: str
    after: str
    message: str
    cause: Literal["rescue", "kernel-race", "reboot", "model"] = "rescue"
    rate: str | None = None

    @property
    def subject(self) -> ClaimName:
        """Return the aspect (for a finding of ``restored``, the claim it came from), or else the claim."""
        return self.aspect or self.claim

    @property
    def is_about_a_name(self) -> bool:
        """Return whether a disk or a NIC has another name."""
        return self.subject is ClaimName.NAMES

    @property
    def state(self) -> State:
        """Return the state that was compared with the normal one."""
        return State.UNRESCUED if self.claim is ClaimName.RESTORED else State.RESCUED

    @property
    def sentence(self) -> str:
        """Return the whole finding for people: the claim and the difference."""
        return f"{self.claim}: {self}"

    def __str__(self) -> str:
        text = f"{self.device}: {self.message}"
        if self.cause == "model":
            return f"{text} (the harness's prediction, not rescue)"
        if self.cause == "reboot":
            return f"{text} (any reboot does it, not rescue)"
        return text if self.rate is None else f"{text} (kernel race, {self.rate})"
