"""Proofs: which of the faults that were tried their claims caught, and why a fault was not caught.

A fault counts as caught if its claim has a finding in every trial at the fault's own level, and if no shallower level
has a finding of any claim. A difference between the domain's text before and after the rescue is not enough, because
nearly every fault makes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.errors import HostError
from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults import Fault
from harness.verdict.finding import Finding
from harness.verdict.restoring import is_of_text_alone


@dataclass(frozen=True)
class Trial:
    """A fault tried on one case at one level: the findings that the reference does not have.

    If nothing could be compared, ``trouble`` and its ``reason`` stand instead.
    """

    case: str
    level: Level
    findings: tuple[Finding, ...] = ()
    trouble: Literal["refused", "error"] | None = None
    reason: str = ""

    @property
    def claims(self) -> tuple[ClaimName, ...]:
        """The claims that noticed the fault, each once."""
        return tuple(dict.fromkeys(finding.claim for finding in self.findings))

    def catches(self, fault: Fault) -> bool:
        """Return whether the fault's claim has a finding that shows the fault.

        A mere difference between two texts counts only if nothing else can tell the fault.
        """
        return any(
            finding.claim is fault.claim and (fault.is_of_text_alone or not is_of_text_alone(finding))
            for finding in self.findings
        )

    @property
    def is_refused_definition(self) -> bool:
        """True if libvirt refused to define the broken domain, so that no claim could notice anything."""
        return self.level is Level.PLAN and self.trouble == "refused"

    def __str__(self) -> str:
        seen = self.reason if self.trouble else ", ".join(self.claims) or "nothing"
        return f"{self.case} at level {self.level}: {seen}"


@dataclass(frozen=True)
class Control:
    """The unbroken reference on one case at one level; ``mismatch`` says what was not as expected."""

    case: str
    level: Level
    mismatch: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True)
class Proof:
    """A fault with its trials, down to level ``depth`` or its own."""

    fault: Fault
    depth: Level
    trials: tuple[Trial, ...]

    @property
    def is_left_out(self) -> bool:
        """True if the fault's own level is deeper than the levels that were tried."""
        return not self.fault.level.is_within(self.depth)

    @property
    def counted(self) -> tuple[Trial, ...]:
        """The trials in which the claim should have noticed the fault."""
        return tuple(
            trial for trial in self.trials if trial.level is self.fault.level and not trial.is_refused_definition
        )

    @property
    def caught(self) -> tuple[Trial, ...]:
        """The trials in which the claim noticed the fault."""
        return tuple(trial for trial in self.counted if trial.catches(self.fault))

    @property
    def failed(self) -> bool:
        """True if host or harness failed in a trial."""
        return any(trial.trouble == "error" for trial in self.trials)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each reason why the fault is not proven; empty if it is proven, as far as it was tried."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[str]:
        claim, level = self.fault.claim, self.fault.level
        for trial in self.trials:
            if trial.is_refused_definition:
                continue
            if trial.trouble:
                yield f"came to no comparison; {trial}"
            elif trial.level is level and not trial.catches(self.fault):
                yield f"was not noticed by {claim}; {trial}"
            elif trial.level is not level and trial.findings:
                yield f"was noticed at a level shallower than {level}; {trial}"
        if not self.is_left_out and not self.counted:
            refused = f"; {self.trials[0]}" if self.trials else ""
            yield f"made no difference to any case{refused}"


@dataclass(frozen=True)
class Proofs:
    """The proofs of all faults, and the reference's controls on the same cases."""

    proofs: tuple[Proof, ...]
    controls: tuple[Control, ...]

    @property
    def misses(self) -> tuple[Control, ...]:
        """The controls that are not as expected."""
        return tuple(control for control in self.controls if control.mismatch)

    @property
    def failed(self) -> bool:
        """True if host or harness failed in a trial or a control."""
        return any(proof.failed for proof in self.proofs) or any(control.failed for control in self.controls)

    @property
    def exit_code(self) -> int:
        """The exit code: 1 a fault was not caught, 3 all were but host or harness failed in a trial, 0 neither."""
        missed = any(not control.failed for control in self.misses)
        if missed or any(proof.problems and not proof.failed for proof in self.proofs):
            return 1
        return HostError.exit_code if self.failed else 0
