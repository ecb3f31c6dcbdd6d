"""Write the pages of docs/reference/ that come from the code: ``python -m harness.commands.reference_pages FOLDER``.

They are made here, at the top of the road, because the commands are among what they tell.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.commands.exit_codes import EXIT_CODES, exit_codes_of
from harness.commands.main import main as commands
from harness.commands.table import COMMANDS, NOVA_COMMANDS
from harness.reading.schema import scenario_schema
from harness.report.markdown.claim_list_page import claim_list_page
from harness.report.markdown.combinations_page import combinations_page
from harness.report.markdown.commands_page import commands_page
from harness.report.markdown.exit_codes_page import exit_codes_page
from harness.report.markdown.faults_page import faults_page
from harness.report.markdown.results_page import results_page
from harness.report.markdown.scenario_keys_page import scenario_keys_page
from harness.result.case_result import result_schema, run_schema
from harness.study.compare.gate_record import gate_schema
from harness.study.prove.faults import FAULTS
from harness.verdict.claim_descriptions import CLAIM_DESCRIPTIONS


def _commands() -> str:
    return commands_page(commands, "rescue-harness", lambda name: [each.code for each in exit_codes_of(name)])


def _exit_codes() -> str:
    general = {each.code: each.meaning for each in EXIT_CODES}
    names = {row.name: row.name for row in COMMANDS if row.name != "nova"}
    names |= {f"nova {row.name}": row.name for row in NOVA_COMMANDS}
    of_commands = {path: {each.code: each.meaning for each in exit_codes_of(name)} for path, name in names.items()}
    return exit_codes_page(general, of_commands)


PAGES: Mapping[str, Callable[[], str]] = {
    "claims.md": lambda: claim_list_page(CLAIM_DESCRIPTIONS),
    "combinations.md": combinations_page,
    "commands.md": _commands,
    "exit-codes.md": _exit_codes,
    "faults.md": lambda: faults_page(FAULTS),
    "results.md": lambda: results_page(result_schema(), run_schema(), gate_schema()),
    "scenario-keys.md": lambda: scenario_keys_page(scenario_schema()),
}
"""The pages by file name. Each is made from code alone, without a run."""


def write_pages(folder: Path) -> None:
    """Write every page into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
