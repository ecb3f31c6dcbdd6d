"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.scenario.words import Level

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def level_option(default: Level | None, help_text: str) -> _Decorator:
    """``--level``, given to the command as a Level, or as None where that is the default."""
    return click.option(
        "--level",
        type=click.Choice([str(level) for level in Level]),
        callback=lambda _context, _option, value: None if value is None else Level(value),
        default=None if default is None else str(default),
        show_default=default is not None,
        help=help_text,
    )


def implementation_option(*, multiple: bool) -> _Decorator:
    """``--implementation``, given to the command as one name or as a tuple of names."""
    return click.option(
        "--implementation",
        "names" if multiple else "name",
        multiple=multiple,
        default=None if multiple else "reference",
        metavar="NAME",
        help="What is tested: reference, nova:VERSION or nova:PATH, see 'nova add'."
        + (" May be given several times." if multiple else "")
        + " Default: reference.",
    )


def boot_timeout_option() -> _Decorator:
    """``--boot-timeout``, None unless given."""
    return click.option("--boot-timeout", type=click.FloatRange(1), metavar="SECONDS", help="Default: 25 canary boots.")


def results_option(help_text: str) -> _Decorator:
    """``--results``, a folder that is made if need be."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("results"),
        show_default=True,
        help=help_text,
    )
