"""Compare two states of one instance, claim by claim.

``ClaimName`` has the claims; docs/reference/comparing-states.md says which differences are tolerated, and why.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict import hardware
from harness.verdict.addition import only_addition
from harness.verdict.booting import boot_instructions, booted_from_rescue
from harness.verdict.comparison import Comparison, compare
from harness.verdict.disks import addresses, all_present, content, disk_settings, identity
from harness.verdict.expected import Expected, HostEvidence
from harness.verdict.links import links
from harness.verdict.names import names
from harness.verdict.on_host import base_images, instance_folder, recorded_states
from harness.verdict.restoring import as_restored, data, restored_on_host, restored_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.verdict.finding import Finding

CHECKS: Mapping[ClaimName, Callable[[Comparison], Iterable[Finding]]] = MappingProxyType(
    {
        ClaimName.BOOTED_FROM_RESCUE: booted_from_rescue,
        ClaimName.ALL_PRESENT: all_present,
        ClaimName.NAMES: names,
        ClaimName.ADDRESSES: addresses,
        ClaimName.LINKS: links,
        ClaimName.IDENTITY: identity,
        ClaimName.CONTENT: content,
        ClaimName.ONLY_ADDITION: only_addition,
        ClaimName.OTHER_HARDWARE: hardware.other_hardware,
    }
)


def compare_rescued(normal: Inventory, rescued: Inventory, expected: Expected) -> tuple[Finding, ...]:
    """Return every way in which the rescued state breaks the promise, in the order of the claims."""
    comparison = compare(State.RESCUED, normal, rescued, expected, booted_before=(normal,))
    return tuple(_of_rescued(comparison))


def _of_rescued(comparison: Comparison) -> Iterator[Finding]:
    for check in CHECKS.values():
        yield from check(comparison)
    yield from boot_instructions(comparison)


def compare_rescued_again(normal: Inventory, rescued: Sequence[Inventory], expected: Expected) -> tuple[Finding, ...]:
    """Return the findings about the rescued state, and those that only a later boot of this state adds.

    ``rescued`` has the first boot, then one boot for each reboot of the rescued guest.
    """
    findings: list[Finding] = []
    for number, inventory in enumerate(rescued):
        told = {(each.claim, each.device, each.before, each.after) for each in findings}
        comparison = compare(State.RESCUED, normal, inventory, expected, (normal, *rescued[:number]))
        for finding in _of_rescued(comparison):
            if (finding.claim, finding.device, finding.before, finding.after) not in told:
                message = f"{finding.message}, after a reboot while rescued" if number else finding.message
                findings.append(finding.model_copy(update={"message": message}))
    return tuple(findings)


def compare_unrescued(
    normal: Inventory,
    rescued: Inventory | None,
    unrescued: Inventory,
    expected: Expected,
    host: HostEvidence = HostEvidence(),  # noqa: B008 - frozen
) -> tuple[Finding, ...]:
    """Return every way in which the unrescued state differs from the normal one.

    Each difference is a finding of ``restored``, with two exceptions: a wrong boot medium keeps its own claim, and
    lost or stray data is a finding of ``data``. Only the boot id of ``rescued`` is used.
    """
    booted_before = (normal,) if rescued is None else (normal, rescued)
    comparison = compare(State.UNRESCUED, normal, unrescued, expected, booted_before)
    findings: list[Finding] = []
    for claim, check in CHECKS.items():
        found = check(comparison)
        findings += found if claim is ClaimName.BOOTED_FROM_RESCUE else as_restored(found)
    findings += as_restored(boot_instructions(comparison))
    on_host = (*restored_on_host(host), *recorded_states(host), *instance_folder(host))
    after = (*data(comparison, host), *base_images(host))
    return (*findings, *restored_system(normal, unrescued), *on_host, *after)


def compare_definitions(by_state: Mapping[State, Inventory], expected: Expected) -> tuple[Finding, ...]:
    """Compare the settings and the boot order of domains with the normal state's, from inventories at level plan.

    The deeper levels use this function, because machines and guests show little of either.
    """
    normal = by_state[State.NORMAL]
    findings: list[Finding] = []
    for state, other in by_state.items():
        comparison = compare(state, normal, other, expected, booted_before=())
        found = (
            *boot_instructions(comparison),
            *disk_settings(comparison),
            *hardware.hardware_settings(comparison),
        )
        findings += as_restored(found) if state is State.UNRESCUED else found
    return tuple(findings)


def joined(*findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return all findings in order, each once: two kinds of evidence may show the same."""
    return tuple(dict.fromkeys(finding for some in findings for finding in some))


def additions(normal: Inventory, rescued: Inventory, expected: Expected) -> tuple[str, ...]:
    """Return a sentence for each permitted addition: the rescue device, and the controllers, bridges and hubs to it."""
    return tuple(hardware.additions(compare(State.RESCUED, normal, rescued, expected, booted_before=())))
