"""``rescue-harness explore``: what users type."""

from __future__ import annotations

import re

import click

from harness.commands.late import work_in
from harness.commands.options import WholeNumber, level_option, results_option
from harness.scenario.words import Level

_SECONDS_IN = {"s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smh])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")


def _seconds(_context: click.Context, _option: click.Parameter, value: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", value):
        seconds = float(value)
    elif _DURATION.fullmatch(value):
        seconds = sum(float(number) * _SECONDS_IN[unit] for number, unit in _PART.findall(value))
    else:
        raise click.BadParameter(f"{value} is no duration such as 90s, 10m or 1h30m")
    if not seconds:
        raise click.BadParameter("a budget of 0 tries nothing")
    return seconds


@click.command("explore")
@click.option(
    "--budget", callback=_seconds, default="2m", show_default=True, help="How long to explore: 90s, 10m, 1h30m."
)
@click.option(
    "--seed",
    type=WholeNumber(0),
    metavar="N",
    help="The seed of an earlier run, to try the same scenarios again. Default: a new one.",
)
@level_option(Level.PLAN, "The deepest level at which a sample is run.")
@results_option("The folder for failing scenarios and for the results of the sample.")
@work_in("harness.commands.work.explore")
def command() -> None:
    """Try random scenarios and make a failing one small.

    All scenarios are planned, and a sample of them runs at deeper levels. The first failure is made small and becomes a
    scenario file. The command needs the extra 'explore'.
    """
