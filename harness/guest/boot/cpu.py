"""The place at which a guest's first CPU is, by QEMU's monitor command ``info registers`` (target/i386/cpu-dump.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIELDS = {
    "halted": re.compile(r"\bHLT=([01])"),
    "control": re.compile(r"\bCR0=([0-9a-f]{8})"),
    "features": re.compile(r"\bEFER=([0-9a-f]{16})"),
    "instruction": re.compile(r"\b[RE]IP=([0-9a-f]{8,16})"),
    "code_base": re.compile(r"^CS =[0-9a-f]{4} ([0-9a-f]{8,16})", re.MULTILINE),
}
_PROTECTION = 1
_PAGING = 1 << 31
_LONG_MODE_ACTIVE = 1 << 10
_BIOS = range(0xF0000, 0x100000)
_FOUR_GIB = 1 << 32


@dataclass(frozen=True)
class CpuPlace:
    """The state of a CPU at one moment; ``address`` is the linear address of its next instruction."""

    halted: bool
    protected: bool
    paging: bool
    long_mode: bool
    address: int

    @property
    def in_bios(self) -> bool:
        """True in the real-mode segment of a PC's BIOS."""
        return not self.protected and self.address in _BIOS

    @property
    def before_a_kernel(self) -> bool:
        """True without paging, and in long mode at low addresses: UEFI maps memory one to one, kernels live above."""
        return not self.paging or (self.long_mode and self.address < _FOUR_GIB)


def parse_registers(text: str) -> CpuPlace | None:
    """Return the place of the first CPU in the answer to ``info registers``, or None for an answer of another form."""
    found = {name: pattern.search(text) for name, pattern in _FIELDS.items()}
    values = {name: match[1] for name, match in found.items() if match is not None}
    if len(values) < len(_FIELDS):
        return None
    control = int(values["control"], 16)
    return CpuPlace(
        halted=values["halted"] == "1",
        protected=bool(control & _PROTECTION),
        paging=bool(control & _PAGING),
        long_mode=bool(int(values["features"], 16) & _LONG_MODE_ACTIVE),
        address=int(values["code_base"], 16) + int(values["instruction"], 16),
    )
