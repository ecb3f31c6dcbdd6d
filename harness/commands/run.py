"""``rescue-harness run``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import (
    boot_timeout_option,
    implementation_option,
    jobs_option,
    keyword_option,
    level_option,
    paths_argument,
    results_option,
)
from harness.scenario.words import Level


@click.command("run")
@paths_argument()
@keyword_option()
@jobs_option("Guests")
@results_option("The folder in which the run's folder is made.")
@level_option(
    Level.GUEST,
    "The source of evidence: libvirt's definition, a paused QEMU or a booted guest. A scenario may need more.",
)
@implementation_option(multiple=True)
@click.option(
    "--repeat", type=click.IntRange(1), default=1, show_default=True, help="Number of times to run each case."
)
@click.option("--keep-going", is_flag=True, help="Go on after a case that is not as expected.")
@boot_timeout_option()
@click.option(
    "--control-boots",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Number of further boots of each state, to tell a kernel race from a moved disk.",
)
@work_in("harness.commands.work.run")
def command() -> None:
    """Run scenario files and say what moved.

    PATHS are scenario files, or folders of them. Without PATHS the shipped suite runs.

    Exit code: 0 every case was as expected, 1 a case was not, 2 the input is wrong, 3 host or harness failed,
    130 interrupted.
    """
