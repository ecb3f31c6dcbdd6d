"""``rescue-harness doctor``: checks of the host, one line for each."""

from __future__ import annotations

import sys

from rich.text import Text

from harness.commands.exit_codes import AS_EXPECTED, FAILED
from harness.hypervisor.diagnosis import diagnose
from harness.report.terminal.console import open_console, status_on


def work() -> None:
    """Check everything that a run needs."""
    console = open_console()
    bad = False
    for check in diagnose(status_on(console)):
        bad |= not check.good and not check.optional
        mark = ("✓", "green") if check.good else ("-", "dim") if check.optional else ("✗", "bold red")
        console.print(Text.assemble(mark, f" {check.subject:<20} {check.seen}"), soft_wrap=True)
        if not check.good and check.hint:
            console.print(f"    {check.hint}", soft_wrap=True)
    sys.exit(FAILED if bad else AS_EXPECTED)
