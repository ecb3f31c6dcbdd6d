"""``rescue-harness run``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import (
    WholeNumber,
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
@jobs_option("guests")
@results_option("The folder in which the run's folder is made.")
@level_option(
    Level.GUEST,
    "The source of evidence: 'plan' is libvirt's definition, 'machine' a paused QEMU, 'guest' a booted guest."
    " A scenario may ask for a deeper level.",
)
@implementation_option(multiple=True)
@click.option(
    "--repeat", type=WholeNumber(1), metavar="N", default=1, show_default=True, help="How often each case is run."
)
@click.option("--keep-going", is_flag=True, help="Go on after a case that is not as expected.")
@boot_timeout_option()
@click.option(
    "--control-boots",
    type=WholeNumber(0),
    metavar="N",
    default=3,
    show_default=True,
    help="The most further boots of each state, which tell a kernel race from a moved disk.",
)
@work_in("harness.commands.work.run")
def command() -> None:
    """Run scenario files and say what moved.

    PATHS are scenario files, or folders of them. Without PATHS the shipped suite runs. The first case that is not as
    expected ends the run, unless --keep-going is given.
    """
