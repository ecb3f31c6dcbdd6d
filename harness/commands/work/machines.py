"""``rescue-harness machines``: the machine types of this host's QEMU."""

from __future__ import annotations

from harness.hypervisor.machines import machine_types
from harness.level.planner import open_planner
from harness.report.terminal.console import open_console


def work() -> None:
    """Print one line for each machine type."""
    console = open_console()
    with open_planner() as planner:
        for machine in machine_types(planner.connection):
            console.print(f"{machine.name:<20} {machine.remark}")
