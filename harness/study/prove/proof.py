"""What became of faults that were tried: which were caught by the claim that should, and why one was not.

A fault counts as caught if its claim has a finding in every trial at the fault's own level, and if no shallower level
has a finding of any claim. That the domain's text differs after the rescue is not enough: it nearly always does.
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
    """A fault tried on one case at one level: what it shows that the reference does not.

    ``trouble`` and its ``reason`` are there instead where it came to no comparison.
    """

    case: str
    level: Level
    findings: tuple[Finding, ...] = ()
    trouble: Literal["refused", "error"] | None = None
    reason: str = ""

    @property
    def claims(self) -> tuple[ClaimName, ...]:
        """The claims that noticed, each once."""
        return tuple(dict.fromkeys(finding.claim for finding in self.findings))

    def catches(self, fault: Fault) -> bool:
        """Whether the fault's claim has a finding that says what is broken, and not only that two texts differ."""
        return any(
            finding.claim is fault.claim and (fault.is_of_text_alone or not is_of_text_alone(finding))
            for finding in self.findings
        )

    @property
    def is_refused_definition(self) -> bool:
        """Whether libvirt did not even define the broken domain, so that there is nothing to notice."""
        return self.level is Level.PLAN and self.trouble == "refused"

    def __str__(self) -> str:
        seen = self.reason if self.trouble else ", ".join(self.claims) or "nothing"
        return f"{self.case} at level {self.level}: {seen}"


@dataclass(frozen=True)
class Control:
    """The reference itself on one case at one level; ``mismatch`` says how that is not as expected."""

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
        """Whether the fault's own level is deeper than was tried."""
        return not self.fault.level.is_within(self.depth)

    @property
    def counted(self) -> tuple[Trial, ...]:
        """The trials in which its claim should have noticed it."""
        return tuple(
            trial for trial in self.trials if trial.level is self.fault.level and not trial.is_refused_definition
        )

    @property
    def caught(self) -> tuple[Trial, ...]:
        """The trials in which it did."""
        return tuple(trial for trial in self.counted if trial.catches(self.fault))

    @property
    def failed(self) -> bool:
        """Whether host or harness failed in a trial."""
        return any(trial.trouble == "error" for trial in self.trials)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """In a sentence each, why this is no proof; none if it is one, as far as it was tried."""
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
    """What became of all faults, and of the reference on the same cases."""

    proofs: tuple[Proof, ...]
    controls: tuple[Control, ...]

    @property
    def misses(self) -> tuple[Control, ...]:
        """The controls that are not as expected."""
        return tuple(control for control in self.controls if control.mismatch)

    @property
    def failed(self) -> bool:
        """Whether host or harness failed anywhere."""
        return any(proof.failed for proof in self.proofs) or any(control.failed for control in self.controls)

    @property
    def exit_code(self) -> int:
        """0 each fault was caught, as far as it was tried, 1 one was not, 3 host or harness failed."""
        if self.failed:
            return HostError.exit_code
        return 1 if self.misses or any(proof.problems for proof in self.proofs) else 0
