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
@results_option("Where the run's folder goes.")
@level_option(
    Level.GUEST,
    "Where evidence comes from: libvirt's definition, a paused QEMU, a booted guest. A scenario may ask for more.",
)
@implementation_option(multiple=True)
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True, help="Run each case so many times.")
@click.option("--keep-going", is_flag=True, help="Go on after a case that is not as expected.")
@boot_timeout_option()
@click.option(
    "--control-boots",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Boots of each state that tell a kernel race from a moved disk.",
)
@work_in("harness.commands.work.run")
def command() -> None:
    """Run scenario files and say what moved.

    PATHS are scenario files, or folders of them; without PATHS the shipped suite runs.

    Exit code: 0 all as expected, 1 something was not, 2 the input is wrong, 3 host or harness failed, 130 interrupted.
    """
