"""``docs/reference/faults.md``: every fault, the claim that notices it, and how that is proven."""

from __future__ import annotations

from collections.abc import Sequence

from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults.fault import Fault

_HEADER = """\
# Red means red

A check that never fails proves nothing. Each fault below is the reference implementation broken on purpose, by a few
lines in one place (`harness/study/prove/faults/`). For each, the claim in its row must notice, and no shallower level
may.

    rescue-harness prove
    rescue-harness prove --level guest -k content

- **plan.** Every fault is tried on every case of the shipped suite that can be planned and is booted at level `guest`,
  too, that is a stable rescue and is not refused. A fault of
  level `plan` is proven if its claim has a finding in each case that the fault makes a difference to. A case does not
  count if it has nothing to break, if libvirt does not define the broken domain, or if libvirt completes that domain to
  exactly the domain that the reference made. If no case is left, the fault is not proven. A deeper fault must show
  nothing at this level.
- **machine**, **guest.** A deeper fault is run on the case in its row, at every level down to its own. Its claim must
  have a finding at its own level, and no claim may have one before.
- **Control.** The unbroken reference runs on the same cases at the same levels, and must be as its scenarios expect.
  Its findings there count for no fault.

By default only level `plan` is tried, which takes seconds and boots nothing.

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
