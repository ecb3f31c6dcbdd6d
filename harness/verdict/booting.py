"""Claim ``booted-from-rescue``: each state came up anew, from the medium it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import Inventory, State
from harness.scenario.models import ClaimName
from harness.verdict.comparison import Comparison, holder
from harness.verdict.expected import RESCUE
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEDIUM_ARGUMENT = "harness.medium="


def booted_from_rescue(comparison: Comparison) -> Iterator[Finding]:
    """The mounted medium and, where the boot loader says so, the kernel's own; and a boot id never seen before."""
    if comparison.state is State.RESCUED:
        yield from _medium(comparison.normal, _normal_medium(comparison), comparison.expected.root, "the normal state")
        yield from _medium(comparison.other, _other_medium(comparison), RESCUE, "the rescued state")
    else:
        wanted = comparison.expected.root
        yield from _medium(comparison.other, _other_medium(comparison), wanted, "the unrescued state")
    if comparison.other.boot_id in {inventory.boot_id for inventory in comparison.booted_before}:
        yield Finding(
            claim=ClaimName.BOOTED_FROM_RESCUE,
            device="guest",
            before="new boot",
            after="same boot",
            message="not rebooted: boot id unchanged",
        )


def _normal_medium(comparison: Comparison) -> str | None:
    medium = comparison.normal.block_device(comparison.normal.boot_medium or "")
    return None if medium is None else holder(medium, comparison.expected)


def _other_medium(comparison: Comparison) -> str | None:
    medium = comparison.other.block_device(comparison.other.boot_medium or "")
    return None if medium is None else comparison.disk_of(medium)


def _medium(inventory: Inventory, mounted: str | None, wanted: str, state: str) -> Iterator[Finding]:
    kernel_from = next(
        (
            word.removeprefix(_MEDIUM_ARGUMENT)
            for word in inventory.command_line.split()
            if word.startswith(_MEDIUM_ARGUMENT)
        ),
        None,
    )
    wanted_kernel = RESCUE if wanted == RESCUE else "instance"
    phrase = "the rescue medium" if wanted == RESCUE else wanted
    if mounted != wanted:
        if inventory.boot_medium is None:
            after, seen = "unknown", "no device found that holds the running system"
        else:
            after = mounted or "unmarked"
            seen = f"booted from {mounted or 'a device without marker'} ({inventory.boot_medium})"
        hint = f"; the kernel came from the {kernel_from} image" if kernel_from == wanted_kernel else ""
        yield Finding(
            claim=ClaimName.BOOTED_FROM_RESCUE,
            device=wanted,
            before=wanted,
            after=after,
            message=f"{seen}, not from {phrase}{'' if wanted == RESCUE else f', in {state}'}{hint}",
        )
    elif kernel_from is not None and kernel_from != wanted_kernel:
        yield Finding(
            claim=ClaimName.BOOTED_FROM_RESCUE,
            device=wanted,
            before=f"{_MEDIUM_ARGUMENT}{wanted_kernel}",
            after=f"{_MEDIUM_ARGUMENT}{kernel_from}",
            message=f"{phrase} is mounted, but the kernel came from the {kernel_from} image, in {state}",
        )
