"""How many guests this host holds at once."""

from __future__ import annotations

import os

import psutil

from harness.scenario.words import MIB

QEMU_OVERHEAD_BYTES = 192 * MIB
"""What a QEMU under TCG takes beside the guest's memory: translation cache, device state."""


def guests_at_once(memory_bytes: int) -> int:
    """One guest of ``memory_bytes`` a core, as long as they fit into the memory that is free now; at least one."""
    by_memory = int(psutil.virtual_memory().available // (memory_bytes + QEMU_OVERHEAD_BYTES))
    return max(1, min(len(os.sched_getaffinity(0)), by_memory))
