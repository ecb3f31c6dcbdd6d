"""``rescue-harness clean``: removal of the leftovers of dead runs."""

from __future__ import annotations

from harness.hypervisor.roots import clean_all
from harness.report.terminal.console import open_console


def work() -> None:
    """Remove the leftovers and say what they were."""
    console = open_console()
    found = clean_all()
    for path, leftovers in found:
        console.print(f"{path}: removed {leftovers}", soft_wrap=True)
    if not found:
        console.print("nothing was left")
