"""The terminal that commands write to."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL = 160


def open_console(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it is; without a terminal, it is wide enough for tables."""
    console = Console(stderr=stderr, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def status_on(console: Console) -> Callable[[str], None]:
    """Return a function that shows the task under way."""
    return lambda message: console.print(message, style="dim")


def now_and_then_on(console: Console, every_s: float = 30.0) -> Callable[[str], None]:
    """Return a function that shows the task under way without a terminal: at most one line in ``every_s`` seconds."""
    said = -every_s

    def say(text: str) -> None:
        nonlocal said
        if not console.is_terminal and time.monotonic() - said >= every_s:
            said = time.monotonic()
            console.print(text, style="dim", soft_wrap=True)

    return say
