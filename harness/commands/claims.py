"""``rescue-harness claims``: what users type."""

from __future__ import annotations

import click

from harness.commands.late import work_in
from harness.commands.options import results_argument


@click.command("claims")
@results_argument()
@work_in("harness.commands.work.claims")
def command() -> None:
    """Set implementations side by side, claim by claim.

    The comparison is a Markdown page. RESULTS are folders of runs; where a case comes twice at one level, the later
    one counts.
    """
