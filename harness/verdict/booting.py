"""Check the claim ``booted-from-rescue``: each state came up anew, from its own medium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.evidence.inventory import DIRECT_KERNEL, NETWORK, Inventory, State
from harness.scenario.words import ClaimName, Level
from harness.verdict.comparison import Comparison, compare, holder
from harness.verdict.expected import RESCUE, Expected
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEDIUM_ARGUMENT = "harness.medium="
_NO_MEDIUM = {
    Level.PLAN: "no device is told to boot",
    Level.MACHINE: "no device is told to boot",
    Level.GUEST: "no device found that holds the running system",
}


def booted_from_rescue(comparison: Comparison) -> Iterator[Finding]:
    """Check that the rescued or unrescued state boots anew, from its own medium.

    The evidence is the mounted medium, the medium named on the kernel's command line (if the boot loader sets it), and
    a boot id that was never seen before. Without a guest, check the medium that boots first.
    """
    if comparison.state is State.RESCUED:
        yield from _medium(comparison, comparison.other, _other_medium(comparison), RESCUE, "the rescued state")
    else:
        wanted = _own_medium(comparison)
        yield from _medium(comparison, comparison.other, _other_medium(comparison), wanted, "the unrescued state")
    if comparison.other.boot_id is not None and comparison.other.boot_id in {
        inventory.boot_id for inventory in comparison.booted_before
    }:
        yield Finding(
            claim=ClaimName.BOOTED_FROM_RESCUE,
            device="guest",
            before="new boot",
            after="same boot",
            message="not rebooted: boot id unchanged",
        )


def boot_instructions(comparison: Comparison) -> Iterator[Finding]:
    """Check that nothing but the rescue disk is told to boot in the rescued state, and after that the same as before.

    A device with a later turn boots in silence if the rescue medium does not boot.
    """
    order = tuple(_disk_told_to_boot(comparison, name) for name in comparison.other.boot_order)
    if comparison.state is State.RESCUED:
        for turn, disk in enumerate(order, start=1):
            if disk != RESCUE:
                yield Finding(
                    claim=ClaimName.BOOTED_FROM_RESCUE,
                    device=disk,
                    before="no boot order",
                    after=f"boot order {turn}",
                    message=f"is told to boot in turn {turn}, and only the rescue medium is to boot",
                )
        return
    before = tuple(_own_disk_told_to_boot(comparison, name) for name in comparison.normal.boot_order)
    if order != before:
        yield Finding(
            claim=ClaimName.BOOTED_FROM_RESCUE,
            device="domain",
            before=_listed(before),
            after=_listed(order),
            message=f"boots {_listed(order)}, not {_listed(before)}",
        )


def _disk_told_to_boot(comparison: Comparison, name: str) -> str:
    device = comparison.other.block_device(name)
    return name if device is None else comparison.disk_of(device) or name


def _own_disk_told_to_boot(comparison: Comparison, name: str) -> str:
    device = comparison.normal.block_device(name)
    return name if device is None else holder(device, comparison.expected) or name


def _listed(order: tuple[str, ...]) -> str:
    return ", then ".join(order) or "nothing"


def boots_otherwise(normal: Inventory, expected: Expected) -> Iterator[Finding]:
    """Check that the instance itself boots from its root, before any rescue."""
    comparison = compare(State.NORMAL, normal, normal, expected, booted_before=())
    own = _own_medium(comparison)
    yield from _medium(comparison, normal, _normal_medium(comparison), own, "the normal state")


def _own_medium(comparison: Comparison) -> str:
    """Return the medium that the instance boots from.

    A kernel that QEMU starts itself mounts the root disk, which only a guest shows.
    """
    by_kernel = comparison.expected.direct_kernel and comparison.normal.level is not Level.GUEST
    return DIRECT_KERNEL if by_kernel else comparison.expected.root


def _normal_medium(comparison: Comparison) -> str | None:
    medium = comparison.normal.block_device(comparison.normal.boot_medium or "")
    return _no_disk(comparison.normal) if medium is None else holder(medium, comparison.expected)


def _other_medium(comparison: Comparison) -> str | None:
    medium = comparison.other.block_device(comparison.other.boot_medium or "")
    return _no_disk(comparison.other) if medium is None else comparison.disk_of(medium)


def _no_disk(inventory: Inventory) -> str | None:
    return inventory.boot_medium if inventory.boot_medium in (DIRECT_KERNEL, NETWORK) else None


def _medium(
    comparison: Comparison, inventory: Inventory, mounted: str | None, wanted: str, state: str
) -> Iterator[Finding]:
    command_line = "" if comparison.expected.same_image else inventory.command_line or ""
    kernel_from = next(
        (word.removeprefix(_MEDIUM_ARGUMENT) for word in command_line.split() if word.startswith(_MEDIUM_ARGUMENT)),
        None,
    )
    wanted_kernel = RESCUE if wanted == RESCUE else "instance"
    phrase = "the rescue medium" if wanted == RESCUE else wanted
    if mounted != wanted:
        verb = "booted" if inventory.level is Level.GUEST else "boots"
        if inventory.boot_medium is None:
            after, seen = "unknown", _NO_MEDIUM[inventory.level]
        else:
            after = mounted or "unmarked"
            seen = f"{verb} from {mounted or 'a device without marker'} ({inventory.boot_medium})"
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
