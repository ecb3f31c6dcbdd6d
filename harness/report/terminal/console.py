"""The terminal that commands write to."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL = 160


def open_console(*, stderr: bool = False) -> Console:
    """A console that takes text as it is, wide enough for tables where there is no terminal."""
    console = Console(stderr=stderr, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def status_on(console: Console) -> Callable[[str], None]:
    """Shows what is under way."""
    return lambda message: console.print(message, style="dim")


def now_and_then_on(console: Console, every_s: float = 30.0) -> Callable[[str], None]:
    """Shows what is under way where there is no terminal to show it live: a line, and no other for so many seconds."""
    said = -every_s

    def say(text: str) -> None:
        nonlocal said
        if not console.is_terminal and time.monotonic() - said >= every_s:
            said = time.monotonic()
            console.print(text, style="dim", soft_wrap=True)

    return say
