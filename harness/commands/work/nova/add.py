"""``rescue-harness nova add``: an environment for a release of Nova, or for a checkout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from harness.commands.work.nova.demands import demands_of
from harness.implementation.nova.constraints import NONE
from harness.implementation.nova.environments import OLDEST, Environments, require_supported, target_of
from harness.implementation.nova.installation import add_nova
from harness.report.terminal.console import now_and_then_on, open_console

_LINE_EVERY_S = 10.0


def work(version: str | None, checkout: Path | None, constraints: str | None) -> None:
    """Install the Nova and say what it demands."""
    if (version is None) == (checkout is None):
        raise click.UsageError(f"name a release from {OLDEST}.0.0 on, or a folder with --checkout")
    target = target_of(version or "") if checkout is None else str(checkout.expanduser().resolve())
    require_supported(target)
    console = open_console()
    started = time.monotonic()
    with _progress(console, f"nova {target}") as progress:
        added = add_nova(Environments(), target, constraints, progress)
    console.print(f"{added.name} was added in {time.monotonic() - started:.0f} s; {demands_of(added)}", soft_wrap=True)
    if constraints == NONE:
        console.print("its dependencies are the newest versions, not those of its release", soft_wrap=True)


@contextmanager
def _progress(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show progress on a line that changes; without a terminal, print a new line now and then."""
    if console.is_terminal:
        with console.status(what) as status:
            yield lambda text: status.update(f"{what}: {text}")
        return
    say = now_and_then_on(console, _LINE_EVERY_S)
    yield lambda text: say(f"{what}: {text}")
