"""Compare what two guests tell of their platform: SMBIOS fields, CPU, firmware, secure boot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.evidence.inventory import Inventory
    from harness.verdict.comparison import Comparison

_FIELDS_OF_SOME_KERNELS = frozenset({"bios_release", "ec_firmware_release"})
"""Fields of /sys/class/dmi/id that Linux has since 5.10 only."""


class Trait(NamedTuple):
    """One fact in two states; None if the state's guest does not tell, which is neither equal nor different."""

    device: str
    name: str
    before: str | None
    after: str | None


def platform_traits(comparison: Comparison) -> Iterator[Trait]:
    """Return the traits in which two guests may differ."""
    normal, other = comparison.normal, comparison.other
    yield from _dmi(normal, other)
    yield Trait("cpu", "model", normal.cpu_model or None, other.cpu_model or None)
    yield Trait("firmware", "interface", normal.firmware, other.firmware)
    if "bios" not in {normal.firmware, other.firmware}:
        yield Trait("firmware", "secure boot", _secure_boot(normal), _secure_boot(other))


def _secure_boot(inventory: Inventory) -> str | None:
    return None if inventory.secure_boot is None else "on" if inventory.secure_boot else "off"


def _dmi(normal: Inventory, other: Inventory) -> Iterator[Trait]:
    """Return SMBIOS fields in sysfs; under different kernels not those that one of the two may lack.

    Another kernel may have been built without the whole table, which is unknown then. A single field that is gone has
    lost its text.
    """
    if normal.kernel != other.kernel and not (normal.dmi and other.dmi):
        yield Trait("dmi", "table", "present" if normal.dmi else None, "present" if other.dmi else None)
        return
    for name in sorted(normal.dmi.keys() | other.dmi.keys()):
        before, after = normal.dmi.get(name, ""), other.dmi.get(name, "")
        is_in_both = name in normal.dmi and name in other.dmi
        if is_in_both or normal.kernel == other.kernel or name not in _FIELDS_OF_SOME_KERNELS:
            yield Trait("dmi", name, before, after)
