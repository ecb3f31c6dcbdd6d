"""The number of guests that this host holds at once."""

from __future__ import annotations

import math
import os

import psutil

from harness.run.control_groups import OWN_GROUPS, ControlGroups
from harness.scenario.words import MIB

QEMU_OVERHEAD_BYTES = 192 * MIB
"""The memory of a QEMU under TCG beside the guest's: translation cache, device state."""


def guests_at_once(memory_bytes: int, groups: ControlGroups = OWN_GROUPS) -> int:
    """One guest of ``memory_bytes`` a core, as long as they fit into the memory that is free now; at least one.

    Of a container these are the cores and the memory that it is given.
    """
    free_bytes = psutil.virtual_memory().available
    if (left_bytes := groups.free_memory_bytes) is not None:
        free_bytes = min(free_bytes, left_bytes)
    cores = len(os.sched_getaffinity(0))
    if (share := groups.cores) is not None:
        cores = min(cores, math.ceil(share))
    return max(1, min(cores, int(free_bytes // (memory_bytes + QEMU_OVERHEAD_BYTES))))
