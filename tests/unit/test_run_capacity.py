from __future__ import annotations

import os

from harness.run.capacity import guests_at_once
from harness.scenario.words import MIB


def test_one_guest_fits_even_where_there_is_no_memory_for_it() -> None:
    assert guests_at_once(2**60) == 1


def test_no_more_guests_at_once_than_cores() -> None:
    assert 1 <= guests_at_once(MIB) <= len(os.sched_getaffinity(0))
