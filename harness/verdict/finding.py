"""One way in which a claim does not hold."""

from __future__ import annotations

from typing import Literal

from harness.evidence.inventory import State
from harness.frozen import Frozen
from harness.scenario.words import ClaimName


class Finding(Frozen):
    """Which device, what it was, what it became, and who did it.

    ``cause`` is ``kernel-race`` when control boots showed the guest's own probing to vary; ``rate`` then says in how
    many boots of how many. It is ``reboot`` when they showed that any boot gives the new name, since the normal one was
    seen on a guest that devices had been attached to or detached from as it ran. It is ``model`` where the guest
    contradicts what the harness predicted of it. None of these is held against rescue.
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
        """The claim, or which of the rescued state's claims it is in the unrescued state, or what part of it."""
        return self.aspect or self.claim

    @property
    def is_about_a_name(self) -> bool:
        """Whether a disk or a NIC is called otherwise."""
        return self.subject is ClaimName.NAMES

    @property
    def state(self) -> State:
        """The state that was compared with the normal one."""
        return State.UNRESCUED if self.claim is ClaimName.RESTORED else State.RESCUED

    @property
    def sentence(self) -> str:
        """All of it for people: what was claimed, and what is the matter."""
        return f"{self.claim}: {self}"

    def __str__(self) -> str:
        text = f"{self.device}: {self.message}"
        if self.cause == "model":
            return f"{text} (the harness's prediction, not rescue)"
        if self.cause == "reboot":
            return f"{text} (any reboot does it, not rescue)"
        return text if self.rate is None else f"{text} (kernel race, {self.rate})"
