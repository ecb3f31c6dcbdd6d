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
    """Return the number of guests at once: one per core, as many as fit into the free memory, and at least one.

    A guest has ``memory_bytes``. In a container, the cores and the memory are those that the container is given.
    """
    free_bytes = psutil.virtual_memory().available
    if (left_bytes := groups.free_memory_bytes) is not None:
        free_bytes = min(free_bytes, left_bytes)
    cores = len(os.sched_getaffinity(0))
    if (share := groups.cores) is not None:
        cores = min(cores, math.ceil(share))
    return max(1, min(cores, int(free_bytes // (memory_bytes + QEMU_OVERHEAD_BYTES))))
