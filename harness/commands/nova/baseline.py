"""``rescue-harness nova baseline``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import boot_timeout_option, jobs_option, keyword_option, level_option, results_option
from harness.scenario.words import Level


@click.command("baseline")
@click.argument("version")
@click.option("--against", metavar="VERSION", help="Compare with this release's baseline. Default: its own.")
@click.option("--write", is_flag=True, help="Write its own baseline anew in place of comparing.")
@keyword_option()
@jobs_option("Cases")
@level_option(Level.PLAN, "Where evidence comes from: at guest eight cases stand for the suite.")
@boot_timeout_option()
@results_option("Where the run's folder goes.")
@work_in("harness.commands.work.nova.baseline")
def command() -> None:
    """Compare a Nova's run of the suite with the one that is kept.

    The shipped suite runs on an added Nova, and is compared with what is kept of that Nova or of another release.

    Exit code: 0 nothing differs, 1 something does, 2 the input is wrong, 3 host or harness failed, or something differs
    and the baseline was made on another libvirt or QEMU.
    """
