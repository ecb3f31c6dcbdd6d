"""``rescue-harness claims``: implementations side by side, from results."""

from __future__ import annotations

from pathlib import Path

import click

from harness.report.markdown.claims_page import claims_page, results_in


def work(results: tuple[Path, ...]) -> None:
    """Print the page."""
    click.echo(claims_page(results_in(results)), nl=False)
