"""``rescue-harness claims``: implementations side by side, from results."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.work.run_folders import runs_in
from harness.report.markdown.claims_page import claims_page, latest_results


def work(results: tuple[Path, ...]) -> None:
    """Print the page."""
    click.echo(claims_page(latest_results(runs_in(results))), nl=False)
