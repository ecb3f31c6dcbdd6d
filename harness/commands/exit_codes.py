"""The exit codes of ``rescue-harness`` and their meanings, in one table for the commands and the documents."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import HostError, ScenarioError


@dataclass(frozen=True)
class ExitCode:
    """An exit code and its meaning."""

    code: int
    meaning: str


AS_EXPECTED = 0
NOT_AS_EXPECTED = 1
WRONG_INPUT = ScenarioError.exit_code
FAILED = HostError.exit_code
INTERRUPTED = 130

EXIT_CODES = (
    ExitCode(AS_EXPECTED, "each case ended as its scenario expects, or there was nothing to object to"),
    ExitCode(NOT_AS_EXPECTED, "a case ended otherwise, or what was compared differs"),
    ExitCode(
        WRONG_INPUT,
        "the input is wrong: a scenario file, an option, a -k that matches nothing;"
        " or the only errors are cases for which no entry of 'expect' holds",
    ),
    ExitCode(FAILED, "the host or the harness failed: a case is an error, or 'doctor' found what needs attention"),
    ExitCode(INTERRUPTED, "Ctrl-C or SIGTERM ended the command"),
)
