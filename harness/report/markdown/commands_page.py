"""``docs/reference/commands.md``: every command, from the objects that read the command line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence

import click

from harness.report.markdown.text import UndescribedError, code, paragraphs, table, with_code

_HEADER = """\
# Commands

`rescue-harness --help` lists the commands, and `rescue-harness COMMAND --help` prints the same as this page.
[Exit codes](exit-codes.md) says what each code means.
"""
_DEFAULT = re.compile(r"\s*Default: (?P<default>.+?)\.?$", re.DOTALL)

ExitCodes = Callable[[str], Sequence[int]]


def commands_page(group: click.Group, name: str, exit_codes: ExitCodes) -> str:
    """Return the page as Markdown.

    Args:
        group: the commands.
        name: what stands before each command.
        exit_codes: returns the exit codes of a command by its own name.

    Raises:
        UndescribedError: a command or an option has no help.
    """
    sections = [_section(command, f"{name} {path}", path, exit_codes) for path, command in _commands(group, "")]
    return "\n".join([_HEADER, *("\n".join(lines) for lines in sections)])


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")


def _section(command: click.Command, usage: str, path: str, exit_codes: ExitCodes) -> list[str]:
    context = click.Context(command, info_name=usage)
    lines = [f"## {path}", "", *paragraphs(_help_of(command, path))]
    lines += ["```text", " ".join([usage, *command.collect_usage_pieces(context)]), "```", ""]
    options = [_row(option, context, path) for option in command.params if isinstance(option, click.Option)]
    if options:
        lines += [*table(["option", "default", "meaning"], options), ""]
    if not isinstance(command, click.Group):
        lines += [f"Exit codes: {', '.join(map(str, exit_codes(command.name or '')))}.", ""]
    return lines


def _help_of(command: click.Command, path: str) -> str:
    if not command.help:
        raise UndescribedError(f"the command {path} has no help: give it a docstring")
    return inspect.cleandoc(command.help)


def _row(option: click.Option, context: click.Context, path: str) -> list[str]:
    if not option.help:
        raise UndescribedError(f"{option.opts[0]} of {path} has no help")
    names = f"{', '.join(option.opts)}{''.join(f' / {name}' for name in option.secondary_opts)}"
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    told = _DEFAULT.search(option.help)
    default = with_code(told["default"]) if told else _default_of(option)
    return [code(names + metavar), default, with_code(_DEFAULT.sub("", option.help))]


def _default_of(option: click.Option) -> str:
    """Return the default that click knows of; none is shown for a flag or an option that nobody needs to give."""
    return code(option.default) if option.show_default else ""
