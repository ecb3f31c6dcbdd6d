"""Compare traits: what devices, firmware and kernel say of themselves in a guest, beside what tells devices apart.

A rescued guest has another system, and one more device. So each trait is compared as far as it depends on neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import BlockKind, State
from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding
from harness.verdict.network import network_interfaces, pair_network_interfaces
from harness.verdict.settings import changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.evidence.inventory import PciDevice
    from harness.verdict.comparison import Comparison

_OF_THE_KERNEL = ("queues", "rotational", "most bytes in a discard", "virtio features", "cpu flags")
"""The kernel's drivers have a say in these: compared under the same kernel only."""
_AFTER_UNRESCUE = ("mtu", "carrier", "memory total", "acpi DSDT", "acpi SSDT", "slot ")
"""The rescue's own system, or the device that it adds, changes these: compared normal against unrescued only."""
_PCR = " PCR "
_CARRIER = "carrier"
_IO_ERRORS, _NONE = "I/O errors", "none"
_MOST_WORDS = 8


def disk_traits(comparison: Comparison) -> Iterator[Finding]:
    """Compare how each disk presents itself to the kernel, and whether the kernel could read and write it."""
    for pair in comparison.pairs:
        if pair.before.kind is BlockKind.DISK and pair.after.kind is BlockKind.DISK:
            yield from _traits(comparison, ClaimName.IDENTITY, pair.disk, pair.before.traits, pair.after.traits)


def hardware_traits(comparison: Comparison, functions: Sequence[tuple[PciDevice, PciDevice]]) -> Iterator[Finding]:
    """Compare the traits of the processors, memory and firmware, of NICs, and of pairs of PCI functions."""
    claim = ClaimName.OTHER_HARDWARE
    for name, old, new in _changed(comparison, comparison.normal.traits, comparison.other.traits):
        device, _, trait = name.partition(" ")
        yield _finding(claim, device, trait, old, new)
    found = pair_network_interfaces(comparison.normal, comparison.other)
    for label, before in network_interfaces(comparison.normal).items():
        after = found[label]
        if after is not None:
            yield from _traits(comparison, claim, label, before.traits, after.traits)
    for function, now in functions:
        yield from _traits(comparison, claim, function.address, function.traits, now.traits)


def _traits(
    comparison: Comparison, claim: ClaimName, device: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[Finding]:
    for name, old, new in _changed(comparison, before, after):
        yield _finding(claim, device, name, old, new)


def untold_traits(comparison: Comparison) -> Iterator[tuple[ClaimName, str]]:
    """Return each trait that would be compared if both states told it, with its claim."""
    for trait in _untold(comparison, comparison.normal.traits, comparison.other.traits):
        yield ClaimName.OTHER_HARDWARE, trait
    for pair in comparison.pairs:
        if pair.before.kind is BlockKind.DISK and pair.after.kind is BlockKind.DISK:
            for trait in _untold(comparison, pair.before.traits, pair.after.traits):
                yield ClaimName.IDENTITY, f"the {trait} of {pair.disk}"


def _untold(comparison: Comparison, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    compared = set(_compared(comparison, before, after))
    for name in sorted((before.keys() ^ after.keys()) - compared):
        if _is_in_question(comparison, name):
            yield name


def _changed(
    comparison: Comparison, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    known = set(_compared(comparison, before, after))
    for name, old, new in changed(_only(before, known), _only(after, known)):
        if name != _IO_ERRORS or new != _NONE:  # the rescue does not make errors of the normal state go away
            yield name, old, new


def _compared(comparison: Comparison, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Return the names to compare. A trait that got lost counts only after the unrescue, under the same kernel."""
    may_be_missed = comparison.state is State.UNRESCUED and _same_kernel(comparison)
    for name in before:
        if (name in after or (may_be_missed and name != _CARRIER)) and _is_in_question(comparison, name):
            yield name


def _is_in_question(comparison: Comparison, name: str) -> bool:
    """Return whether neither the rescue's own system nor the device that it adds changes a trait by itself."""
    if not _same_kernel(comparison) and name.startswith(_OF_THE_KERNEL):
        return False
    return comparison.state is State.UNRESCUED or not (name.startswith(_AFTER_UNRESCUE) or _PCR in name)


def _same_kernel(comparison: Comparison) -> bool:
    return comparison.normal.kernel == comparison.other.kernel


def _only(traits: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in traits.items() if name in names}


def _finding(claim: ClaimName, device: str, trait: str, before: str, after: str) -> Finding:
    old, new = _difference(before, after)
    return Finding(
        claim=claim,
        device=device,
        before=f"{trait} {old}",
        after=f"{trait} {new}",
        message=f"{trait} {old} -> {new}",
    )


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return two values; of two long lists of words, the words that only one has."""
    old, new = before.split(), after.split()
    if min(len(old), len(new)) <= _MOST_WORDS or set(old) == set(new):
        return before, after
    lost = " ".join(word for word in old if word not in new)
    gained = " ".join(word for word in new if word not in old)
    return lost or "none", gained or "none"
