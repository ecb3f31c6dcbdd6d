"""Describe one way in which a claim does not hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.evidence.inventory import State
from harness.frozen import Frozen
from harness.scenario.words import ClaimName


class Finding(Frozen):
    """One way in which a claim does not hold. Only findings with the cause 'rescue' count against the rescue."""

    claim: ClaimName = Field(description="the claim that does not hold")
    aspect: ClaimName | None = Field(
        default=None, description="for a finding of 'restored': the claim that it came from"
    )
    device: str = Field(description="the disk's name in the scenario, or the device")
    before: str = Field(description="the value in the normal state")
    after: str = Field(description="the value in the state under test")
    message: str = Field(description="the difference in words, which may change from version to version")
    cause: Literal["rescue", "kernel-race", "reboot", "guest-kernel", "model"] = Field(
        default="rescue",
        description="'kernel-race': control boots showed that the guest's own probing varies; 'reboot': control boots"
        " showed that any boot gives the new name; 'guest-kernel': the rescue system's own software does it, with the"
        " device in its place; 'model': the guest contradicts the harness's prediction; else 'rescue'",
    )
    rate: str | None = Field(default=None, description="for a kernel race: in how many boots of how many")

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
        if self.cause == "guest-kernel":
            return f"{text} (the rescue system's own software, not rescue)"
        return text if self.rate is None else f"{text} (kernel race, {self.rate})"
