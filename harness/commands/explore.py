"""``rescue-harness explore``: what users type."""

from __future__ import annotations

import re

import click

from harness.commands.late import work_in
from harness.commands.options import level_option, results_option
from harness.scenario.words import Level


def _seconds(_context: click.Context, _option: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
    if match is None:
        raise click.BadParameter(f"{value} is no duration such as 90s, 10m or 1h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


@click.command("explore")
@click.option(
    "--budget", callback=_seconds, default="2m", show_default=True, help="Time to spend, such as 90s, 10m or 1h."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="The seed of an earlier run, to try the same scenarios again. Default: a new seed.",
)
@level_option(Level.PLAN, "The deepest level at which a sample is run.")
@results_option("The folder for failing scenarios and for the artefacts of the sample's runs.")
@work_in("harness.commands.work.explore")
def command() -> None:
    """Try random scenarios and make a failing one small.

    The command plans every scenario, runs a sample at deeper levels, and writes each failing scenario to a file. It
    needs the extra 'explore'.

    Exit code: 0 every scenario was stable, refused or moved as expected, 1 a scenario was not.
    """
