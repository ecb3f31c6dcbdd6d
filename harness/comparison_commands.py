"""``rescue-harness claims``: what became of each claim with each implementation, from results."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True))
def claims(results: tuple[Path, ...]) -> None:
    """Set implementations side by side, claim by claim, as a Markdown page.

    RESULTS are folders of runs; of a case that comes twice at one level the later one counts.
    """
    from harness.run.claims_page import claims_page, results_in  # noqa: PLC0415

    click.echo(claims_page(results_in(results)), nl=False)
