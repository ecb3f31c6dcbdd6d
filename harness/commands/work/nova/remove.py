"""``rescue-harness nova remove``: removal of an environment."""

from __future__ import annotations

from harness.implementation.nova.environments import Environments
from harness.report.terminal.console import open_console


def work(version: str) -> None:
    """Remove the environment."""
    removed = Environments().remove(version)
    open_console().print(f"{removed.name} was removed", soft_wrap=True)
