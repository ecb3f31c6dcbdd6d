"""``rescue-harness nova baseline``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import boot_timeout_option, jobs_option, keyword_option, level_option, results_option
from harness.scenario.words import Level


@click.command("baseline")
@click.argument("version")
@click.option(
    "--against", metavar="VERSION", help="Compare with the baseline of this release. Default: the Nova's own."
)
@click.option("--write", is_flag=True, help="Write the Nova's own baseline anew instead of comparing.")
@keyword_option()
@jobs_option("Cases")
@level_option(Level.PLAN, "The source of evidence. At level guest eight cases stand for the suite.")
@boot_timeout_option()
@results_option("The folder in which the run's folder is made.")
@work_in("harness.commands.work.nova.baseline")
def command() -> None:
    """Compare a Nova's run of the suite with a baseline.

    The shipped suite runs on an added Nova. The outcomes are compared with the baseline of that Nova or of another
    release.

    Exit code: 0 nothing differs, 1 something does, 2 the input is wrong, 3 host or harness failed, or something differs
    and the baseline was made on another libvirt or QEMU.
    """
