"""``docs/reference/exit-codes.md``: what each exit code means, for every command and for each."""

from __future__ import annotations

from collections.abc import Mapping

from harness.report.markdown.text import table, with_code

_HEADER = """\
# Exit codes

Every command uses the same codes. Wrong input is a scenario file or an option that is wrong, or a `-k` that matches
nothing.
"""
_OWN = """
## By command

An empty cell means the same as in the table above. A dash means that the command has no such code. All other commands
end with 0, 2, 3 or 130, with the meanings above.
"""
_FOOTER = """
`run` stops at the first case that is not as expected, and counts the rest as not run. `--keep-going` runs them all.
One outcome hides no other. The code is 1 if a case ended otherwise than expected, even if others are errors. It is 4 if
only instances are unfit, 3 if the worst is that some cases could not be judged, and 2 if the worst is that no entry of
`expect` holds for some. The last line of the output counts each kind.

pytest has exit codes of its own: 1 stands for all of these. The plugin's last line counts each kind, and the JUnit
property `standing` of a test has the kind in the same words.
"""


def exit_codes_page(general: Mapping[int, str], of_commands: Mapping[str, Mapping[int, str]]) -> str:
    """Return the page as Markdown.

    Args:
        general: what each code means.
        of_commands: what each code of a command means, by the command's name.
    """
    meanings = table(["code", "meaning"], [[str(number), with_code(text)] for number, text in general.items()])
    rows = [
        [f"[`{name}`](commands.md#{name.replace(' ', '-')})", *(_cell(number, general, own) for number in general)]
        for name, own in of_commands.items()
        if own.items() - general.items()
    ]
    by_command = table(["command", *map(str, general)], rows)
    return "\n".join([_HEADER, *meanings, _OWN, *by_command, _FOOTER])


def _cell(number: int, general: Mapping[int, str], own: Mapping[int, str]) -> str:
    if number not in own:
        return "-"
    return "" if own[number] == general[number] else with_code(own[number])
