"""``docs/reference/faults.md``: every fault, the claim that notices it, and how that is proven."""

from __future__ import annotations

from collections.abc import Sequence

from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults.fault import Fault

_HEADER = """\
# Red means red

A check that never fails proves nothing. Each fault below is the reference implementation broken on purpose, by a few
lines in one place (`harness/study/prove/faults/`). The claim in the fault's row must notice the fault, and no claim may
notice it at a shallower level. [Prove that the checks notice](../how-to/prove-the-checks.md) shows how to run the
proof.

- **Level `plan`.** Each fault is tried on every case of the shipped suite that the reference plans as a stable rescue
  and that is also booted at level `guest`. A fault of level `plan` is proven if its claim has a finding in each case in
  which the fault makes a difference. A case does not count if it has nothing to break, if libvirt does not define the
  broken domain, or if libvirt completes the broken domain to exactly the reference's domain. If no case is left, the
  fault is not proven. A deeper fault must show nothing at level `plan`.
- **Levels `machine` and `guest`.** A deeper fault is run on the case in its row, at every level down to its own. Its
  claim must have a finding at its own level, and no claim may have a finding at a shallower one.
- **Control.** The unbroken reference runs on the same cases at the same levels, and must end as the scenarios expect.
  Findings of the unbroken reference count for no fault.

`rescue-harness prove` tries only level `plan` by default, which takes seconds and boots nothing.

"""


def faults_page(faults: Sequence[Fault]) -> str:
    """Return the page as Markdown."""
    lines = [
        _HEADER.rstrip("\n"),
        "",
        "| fault | what is broken | claim | level | case |",
        "| --- | --- | --- | --- | --- |",
    ]
    for fault in faults:
        case = f"`{fault.case}`" if fault.case else "all"
        lines.append(f"| `{fault.name}` | {fault.summary} | `{fault.claim}` | {fault.level} | {case} |")
    counts = [
        f"| `{claim}` |" + "".join(f" {_count(faults, claim, level) or '-'} |" for level in Level)
        for claim in ClaimName
    ]
    heads = " | ".join(Level)
    lines += ["", "Faults by claim and by the shallowest level that notices:", ""]
    lines += [f"| claim | {heads} |", f"| --- |{' --- |' * len(Level)}", *counts]
    return "\n".join(lines) + "\n"


def _count(faults: Sequence[Fault], claim: ClaimName, level: Level) -> int:
    return sum(fault.claim is claim and fault.level is level for fault in faults)
