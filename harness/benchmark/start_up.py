"""Time that the command takes to print its help, for ``make bench``."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from harness.benchmark.measure import Measure

HELP_S = 0.3
RUN_HELP_S = 0.5
_ROUNDS = 5


def measure_start_up() -> Iterator[Measure]:
    """Measure ``--help`` of the command and of ``run`` in seconds of CPU, because a busy host changes those little."""
    for words, limit_s in ((("--help",), HELP_S), (("run", "--help"), RUN_HELP_S)):
        seconds = [_start_s(*words) for _ in range(_ROUNDS)]
        cpu_s, elapsed_s = (statistics.median(each) for each in zip(*seconds, strict=True))
        yield Measure(
            f"rescue-harness {' '.join(words)} / {limit_s:g} s",
            cpu_s / limit_s,
            "",
            1.0,
            at_most=True,
            details=f"medians of {_ROUNDS}: {cpu_s:.2f} s of CPU, {elapsed_s:.2f} s on the clock",
        )


def _start_s(*words: str) -> tuple[float, float]:
    before, started = _children_s(), time.monotonic()
    subprocess.run([Path(sys.executable).with_name("rescue-harness"), *words], stdout=subprocess.DEVNULL, check=True)
    return _children_s() - before, time.monotonic() - started


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
