"""Call Nova's functions, whose arguments differ from release to release."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .cloud import EdgeError


def call(function: Callable[..., Any], **known: Any) -> Any:
    """Call a function with those of the known arguments that the function has in this release.

    Raises EdgeError if the function needs another argument.
    """
    wanted = inspect.signature(function).parameters
    unknown = [
        name
        for name, parameter in wanted.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in known
    ]
    if unknown:
        raise EdgeError(f"{function.__qualname__} wants {', '.join(unknown)}, which this worker does not know")
    return function(**{name: value for name, value in known.items() if name in wanted})
