"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.scenario.words import Level

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class WholeNumber(click.IntRange):
    """A whole number in a range; click's own word for it in messages is "integer range"."""

    name = "whole number"


def level_option(default: Level | None, help_text: str) -> _Decorator:
    """Make the option ``--level``; the command gets a Level, or None if that is the default."""
    return click.option(
        "--level",
        type=click.Choice([str(level) for level in Level], case_sensitive=False),
        callback=lambda _context, _option, value: None if value is None else Level(value),
        default=None if default is None else str(default),
        show_default=default is not None,
        help=help_text,
    )


def implementation_option(*, multiple: bool) -> _Decorator:
    """Make the option ``--implementation``; the command gets one name or a tuple of names."""
    return click.option(
        "--implementation",
        "names" if multiple else "name",
        multiple=multiple,
        default=None if multiple else "reference",
        metavar="NAME",
        help="The implementation to test: 'reference', 'nova:VERSION' or 'nova:PATH'. 'nova add' adds a Nova."
        + (" May be given several times." if multiple else "")
        + " Default: reference.",
    )


def keyword_option(help_text: str = "Only cases whose id matches, written as for pytest's -k.") -> _Decorator:
    """``-k``, given to the command as ``keyword``."""
    return click.option("-k", "keyword", metavar="EXPRESSION", help=help_text)


def jobs_option(counted: str) -> _Decorator:
    """Make the option ``-j``, None by default; ``counted`` names the things counted."""
    return click.option(
        "-j",
        "--jobs",
        type=WholeNumber(1),
        metavar="N",
        help=f"How many {counted} run at once. Default: as many as cores and free memory allow.",
    )


def paths_argument() -> _Decorator:
    """Make the argument for scenario files or folders of them, which may be left out."""
    return click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


def results_argument() -> _Decorator:
    """Make the argument for folders of runs, at least one."""
    return click.argument(
        "results", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True)
    )


def boot_timeout_option() -> _Decorator:
    """``--boot-timeout``, None unless given."""
    return click.option(
        "--boot-timeout",
        type=click.FloatRange(1),
        metavar="SECONDS",
        help="How long a guest may take to come up, in its own time. Default: 25 canary boots, at least 60 s.",
    )


def results_option(help_text: str) -> _Decorator:
    """Make the option ``--results``, a folder that is made if it does not exist."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("results"),
        show_default=True,
        help=help_text,
    )
