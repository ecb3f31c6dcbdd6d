"""The command ``rescue-harness``."""

from __future__ import annotations

import click

from harness import __version__
from harness.commands.exit_codes import FAILED, INTERRUPTED
from harness.commands.group import TableGroup
from harness.commands.table import COMMANDS
from harness.errors import HarnessError
from harness.interruption import interrupted_once

_NO_LIBVIRT = ("libvirt's library cannot be loaded", "install libvirt0")
_MAY_BE_MISSING = {
    "libvirt": _NO_LIBVIRT,
    "libvirtmod": _NO_LIBVIRT,
    "hypothesis": ("exploring needs hypothesis", "install the extra: pip install 'rescue-harness[explore]'"),
}


class _Commands(TableGroup):
    """Turns each of the harness's errors into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            with interrupted_once():
                return super().invoke(ctx)
        except HarnessError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            click.echo(f"error: {error.strerror or error}: {error.filename or 'no file named'}", err=True)
            ctx.exit(FAILED)
        except ImportError as error:
            if error.name not in _MAY_BE_MISSING:
                raise
            what, hint = _MAY_BE_MISSING[error.name]
            click.echo(f"error: {what}: {error}\n  {hint}", err=True)
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            click.echo("interrupted: nothing is left running", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=_Commands, rows=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rescue-harness")
def main() -> None:
    """Prove, in real guests, whether an instance's disks stay where they are while it is rescued."""
