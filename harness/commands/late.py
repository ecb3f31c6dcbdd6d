"""Late loading of commands, which keeps ``--help`` fast: a call loads the module that does a command's work."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module


def work_in(module: str) -> Callable[[Callable[[], None]], Callable[..., None]]:
    """Give a command, which only declares itself, the function ``work`` of a module that is loaded with the call.

    ``work`` takes the command's parameters by their names.
    """

    def with_work(declared: Callable[[], None]) -> Callable[..., None]:
        @wraps(declared)
        def call(**given: object) -> None:
            import_module(module).work(**given)

        return call

    return with_work
