"""The commands: name, module, summary and group of each. A command is a row here and a module that has ``command``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """The purposes of commands, which are the headings of ``--help``."""

    RUN = "Run and look"
    COMPARE = "Gate and compare"
    SEARCH = "Search for failures"
    HOSTS = "Hosts, images and Novas"


@dataclass(frozen=True)
class Row:
    """A command: the module is loaded when the command is called or its own help is asked for."""

    name: str
    module: str
    summary: str
    purpose: Purpose


COMMANDS = (
    Row("run", "harness.commands.run", "Run scenario files and say what moved.", Purpose.RUN),
    Row("show", "harness.commands.show", "Show a scenario's domains and disks without booting.", Purpose.RUN),
    Row(
        "combinations",
        "harness.commands.combinations",
        "Show which rescue bus and device boots where, and who refuses.",
        Purpose.RUN,
    ),
    Row("schema", "harness.commands.schema", "Print the JSON Schema of scenario files.", Purpose.RUN),
    Row("gate-nova", "harness.commands.gate_nova", "Say what a change to Nova makes worse.", Purpose.COMPARE),
    Row("claims", "harness.commands.claims", "Set implementations side by side, claim by claim.", Purpose.COMPARE),
    Row("rates", "harness.commands.rates", "Say how often each case came out as expected.", Purpose.COMPARE),
    Row("sweep", "harness.commands.sweep", "Plan every combination of a scenario's free keys.", Purpose.SEARCH),
    Row("explore", "harness.commands.explore", "Try random scenarios and make a failing one small.", Purpose.SEARCH),
    Row("prove", "harness.commands.prove", "Break rescue on purpose and check that claims notice.", Purpose.SEARCH),
    Row("doctor", "harness.commands.doctor", "Check this host, and say how to fix what is missing.", Purpose.HOSTS),
    Row("clean", "harness.commands.clean", "Remove the leftovers of dead runs.", Purpose.HOSTS),
    Row("machines", "harness.commands.machines", "List the machine types that this QEMU has.", Purpose.HOSTS),
    Row("nova", "harness.commands.nova", "Add, list, remove and compare Novas.", Purpose.HOSTS),
)

NOVA_COMMANDS = (
    Row("add", "harness.commands.nova.add", "Add a release of Nova, or a checkout.", Purpose.HOSTS),
    Row("list", "harness.commands.nova.list", "List the Novas that were added.", Purpose.HOSTS),
    Row("remove", "harness.commands.nova.remove", "Remove a Nova that was added.", Purpose.HOSTS),
    Row(
        "baseline",
        "harness.commands.nova.baseline",
        "Compare a Nova's run of the suite with a baseline.",
        Purpose.COMPARE,
    ),
)
