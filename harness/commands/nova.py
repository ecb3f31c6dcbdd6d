"""``rescue-harness nova``: the Novas that can be tested, each in an environment of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.implementation.nova.constraints import NONE
from harness.implementation.nova.environments import OLDEST, Environments, NovaEnvironment, target_of
from harness.implementation.nova.messages import Version
from harness.report.terminal.console import now_and_then_on, open_console
from harness.scenario.words import MIB

_LINE_EVERY_S = 10.0


@click.group()
def nova() -> None:
    """Add, list and remove the Novas that --implementation nova:VERSION takes."""


@nova.command()
@click.argument("version", required=False)
@click.option(
    "--checkout", type=click.Path(path_type=Path), metavar="PATH", help="A folder with Nova's source, used as it is."
)
@click.option(
    "--constraints",
    metavar="FILE|URL|none",
    help="Versions of what Nova depends on. Default: its OpenStack release's upper constraints, from openstack.org.",
)
def add(version: str | None, checkout: Path | None, constraints: str | None) -> None:
    """Make an environment for the release VERSION, or for a checkout. Takes a minute and 400 MB."""
    from harness.implementation.nova.installation import add_nova  # noqa: PLC0415 - only where something is installed

    if (version is None) == (checkout is None):
        raise click.UsageError(f"name a release from {OLDEST}.0.0 on, or a folder with --checkout")
    target = target_of(version or "") if checkout is None else str(checkout.expanduser().resolve())
    console = open_console()
    started = time.monotonic()
    with _progress(console, f"nova {target}") as progress:
        added = add_nova(Environments(), target, constraints, progress)
    console.print(f"{added.name} was added in {time.monotonic() - started:.0f} s; {_demands(added)}", soft_wrap=True)
    if constraints == NONE:
        console.print("its dependencies are the newest there are, not those it was released with", soft_wrap=True)


@contextmanager
def _progress(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """A line that changes; without a terminal a new one now and then."""
    if console.is_terminal:
        with console.status(what) as status:
            yield lambda text: status.update(f"{what}: {text}")
        return
    say = now_and_then_on(console, _LINE_EVERY_S)
    yield lambda text: say(f"{what}: {text}")


@nova.command("list")
def list_() -> None:
    """List the Novas that were added, and what each demands."""
    console = open_console()
    environments = Environments()
    found = environments.all()
    if not found:
        console.print("none was added so far; 'rescue-harness nova add VERSION' does", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("implementation", "version", "demands", "constraints", "size", "added"):
        table.add_column(heading, overflow="fold")
    for each in found:
        table.add_row(
            each.name,
            each.known_version or "unknown",
            _demands(each, led_by=""),
            each.record.constraints,
            f"{each.size_bytes // MIB} MiB",
            each.record.added_at,
        )
    console.print(table)


@nova.command()
@click.argument("version")
def remove(version: str) -> None:
    """Remove the environment of a release, or of a checkout by its path; the checkout itself stays."""
    removed = Environments().remove(version)
    open_console().print(f"{removed.name} was removed", soft_wrap=True)


def _demands(environment: NovaEnvironment, *, led_by: str = "it demands ") -> str:
    description = environment.record.description
    return f"{led_by}libvirt {_dotted(description.min_libvirt)} and QEMU {_dotted(description.min_qemu)}"


def _dotted(version: Version) -> str:
    return ".".join(str(number) for number in version)
