"""Find everything that control boots break, apart from the names that they were booted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.claims import compare_rescued, compare_unrescued

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.verdict.expected import Expected
    from harness.verdict.finding import Finding


def broken_in_controls(
    findings: Sequence[Finding], expected: Expected, normal: Inventory, boots: Mapping[State, Sequence[Inventory]]
) -> Iterator[Finding]:
    """Return each finding of a further rescued or unrescued boot that is not among the first boot's ``findings``.

    Names are left out, because ``settle_by_controls`` decides on them. Data is left out, because only the first boots
    are checked for it. ``normal`` is compared with all boots, and may be one of them itself.
    """
    for state in (State.RESCUED, State.UNRESCUED):
        found: dict[tuple[str | None, ...], list[Finding]] = {}
        for boot in boots[state][1:]:
            if boot is normal:
                continue
            if state is State.RESCUED:
                broken = compare_rescued(normal, boot, expected)
            else:
                broken = compare_unrescued(normal, None, boot, expected)
            for finding in broken:
                if not finding.is_about_a_name and finding.claim is not ClaimName.DATA:
                    found.setdefault(_identity(finding), []).append(finding)
        known = {_identity(finding) for finding in findings}
        for identity, alike in found.items():
            if identity not in known:
                seen = f"in {len(alike)} of {len(boots[state])} boots of the {state} state"
                yield alike[0].model_copy(update={"message": f"{alike[0].message}; {seen}"})


def _identity(finding: Finding) -> tuple[str | None, ...]:
    """Return a finding without its words, which name devices by their names in that boot."""
    return finding.claim, finding.aspect, finding.device, finding.before, finding.after
