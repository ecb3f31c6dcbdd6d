"""The exit codes of ``rescue-harness`` and their meanings, in one table for the commands and the documents."""

from __future__ import annotations

from collections.abc import Mapping
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
UNFIT = 4
INTERRUPTED = 130

EXIT_CODES = (
    ExitCode(AS_EXPECTED, "the command did its work and has nothing to object to"),
    ExitCode(NOT_AS_EXPECTED, "the outcome is not the expected one"),
    ExitCode(WRONG_INPUT, "the input is wrong"),
    ExitCode(FAILED, "the host or the harness failed"),
    ExitCode(UNFIT, "an instance is unfit: it does not boot by itself, or not from its root"),
    ExitCode(INTERRUPTED, "interrupted by Ctrl-C or SIGTERM"),
)

_OF_COMMANDS: Mapping[str, Mapping[int, str]] = {
    "run": {
        AS_EXPECTED: "each case ended as its scenario expects",
        NOT_AS_EXPECTED: "a case ended otherwise",
        WRONG_INPUT: "the input is wrong, or no entry of 'expect' holds for a case, and nothing worse came",
        FAILED: "the host or the harness failed, or a case could not be judged and no other code but 2 is due",
        UNFIT: "an instance is unfit, and no case with a fit one ended otherwise than expected",
    },
    "gate-nova": {
        AS_EXPECTED: "the change made no case worse",
        NOT_AS_EXPECTED: "the change made a case worse",
        FAILED: "the host or the harness failed, or nothing became worse and a case could not be compared",
    },
    "rates": {
        AS_EXPECTED: "each run of each case was as expected",
        NOT_AS_EXPECTED: "a run of a case was not as expected",
        WRONG_INPUT: "the input is wrong, or there are no results",
    },
    "sweep": {
        AS_EXPECTED: "each combination is stable, moved as its scenario expects, or refused where it has to be",
        NOT_AS_EXPECTED: "a combination is none of these",
    },
    "explore": {
        AS_EXPECTED: "each scenario was stable, moved as expected, or refused where it had to be",
        NOT_AS_EXPECTED: "a scenario failed",
    },
    "prove": {
        AS_EXPECTED: "each fault that was tried was caught",
        NOT_AS_EXPECTED: "a fault was not caught, or the unbroken reference is not as expected",
        FAILED: "the host or the harness failed, and no fault is known to be uncaught",
    },
    "doctor": {
        AS_EXPECTED: "the host has all that every run needs",
        FAILED: "something needs attention",
    },
    "baseline": {
        AS_EXPECTED: "nothing differs, or the baseline was written",
        NOT_AS_EXPECTED: "something differs",
        FAILED: "the host or the harness failed; a case is an error and nothing differs; or something differs and the"
        " baseline was made on another libvirt or QEMU",
    },
}


def exit_codes_of(command: str) -> tuple[ExitCode, ...]:
    """Return the exit codes of a command by its name. Codes 1 and 4 are only of the commands that say so."""
    own = _OF_COMMANDS.get(command, {})
    return tuple(
        ExitCode(each.code, own.get(each.code, each.meaning))
        for each in EXIT_CODES
        if each.code not in (NOT_AS_EXPECTED, UNFIT) or each.code in own
    )


def exit_code_sentence(command: str) -> str:
    """Return a command's exit codes as its help has them."""
    return f"Exit code: {'; '.join(f'{each.code} {each.meaning}' for each in exit_codes_of(command))}."
