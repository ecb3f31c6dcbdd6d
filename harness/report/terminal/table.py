"""Results as tables for the terminal."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from harness.level.plan import Plan
from harness.level.planned_disks import PlannedPlace, planned_disks
from harness.result.case_result import CaseResult
from harness.scenario.words import Level, VerdictName
from harness.study.combinations import BUSES, DEVICES, HARDWARE, combinations
from harness.verdict.not_told import ALL_OF_CLAIM

VERDICT_COLOURS = {
    VerdictName.STABLE: "green",
    VerdictName.MOVED: "yellow",
    VerdictName.REFUSED: "blue",
    VerdictName.UNFIT: "magenta",
    VerdictName.ERROR: "red",
}

_FINDINGS_EACH = 3
"""The most findings of one claim and one device that are shown: a file system in use changes in dozens of ranges."""


def verdict_text(result: CaseResult) -> Text:
    """Return the verdict in its colour, marked if it is not the expected one."""
    mark = ("✓", "green") if result.as_expected else ("✗", "bold red")
    return Text.assemble(mark, " ", (f"{result.verdict:<7}", VERDICT_COLOURS[result.verdict]))


def results_table(results: Sequence[CaseResult]) -> Table:
    """Return a table of scenarios, verdicts and findings, with a column for each of several implementations.

    A result that is not as expected says how.
    """
    names = list(dict.fromkeys(result.implementation for result in results))
    if len(names) > 1:
        return _comparison_table(results, names)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("scenario", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("findings", overflow="fold")
    for result in results:
        table.add_row(result.case, verdict_text(result), _findings(result))
    return table


def _comparison_table(results: Sequence[CaseResult], names: Sequence[str]) -> Table:
    table = Table(pad_edge=False, header_style="bold", show_lines=True)
    for heading in ("scenario", *names):
        table.add_column(heading, overflow="fold")
    rows: dict[str, dict[str, CaseResult]] = {}
    for result in results:
        rows.setdefault(result.shared_case, {})[result.implementation] = result
    for case, by_name in rows.items():
        cells = [
            Text("-", "dim")
            if name not in by_name
            else Text.assemble(verdict_text(by_name[name]), "\n", _findings(by_name[name]))
            for name in names
        ]
        table.add_row(case, *cells)
    return table


def combinations_table() -> Table:
    """Return a table with a row for each bus and device, and a column for each machine and firmware."""
    cells = {(cell.bus, cell.device, cell.machine, cell.firmware): cell.refusal for cell in combinations()}
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("bus", "device", *(f"{machine} {firmware}" for machine, firmware in HARDWARE), "why not"):
        table.add_column(heading, overflow="fold")
    for bus, device in itertools.product(BUSES, DEVICES):
        refusals = [cells[bus, device, *hardware] for hardware in HARDWARE]
        marks = [
            Text("boots", "green") if refusal is None else Text(refusal.refused_by, "blue") for refusal in refusals
        ]
        reasons = dict.fromkeys(refusal.reason for refusal in refusals if refusal is not None)
        table.add_row(bus, device, *marks, "; ".join(reasons))
    return table


def coverage_sentences(results: Sequence[CaseResult]) -> list[str]:
    """Return a sentence for each level that was run on the claims that the level did not check, wholly or in part."""
    sentences = []
    for level in Level:
        claims = (status for result in results if result.level is level for status in result.claims)
        unseen = [status for status in claims if status.unseen is not None]
        wholly = dict.fromkeys(status.claim for status in unseen if status.unseen == ALL_OF_CLAIM)
        partly = dict.fromkeys(status.claim for status in unseen if status.unseen != ALL_OF_CLAIM)
        parts = [", ".join(wholly), f"parts of {', '.join(partly)}" if partly else ""]
        if unseen:
            sentences.append(f"not checked at level {level}: {'; '.join(filter(None, parts))}")
    return sentences


def _findings(result: CaseResult) -> Text:
    lines = [Text(sentence) for sentence in _short_sentences(result)]
    if not result.as_expected:
        lines += [Text(sentence, "red") for sentence in result.told_mismatch]
    if not lines:
        lines = [Text("; ".join(result.additions) or "-", "dim")]
    return Text("\n").join(lines)


def _short_sentences(result: CaseResult) -> Iterator[str]:
    """Yield the outcome in sentences; for one claim and device only the first findings and the number of others."""
    if result.failure is not None:
        yield from result.sentences()
        return
    findings = result.findings_beside_mismatch
    numbers = Counter((finding.claim, finding.device) for finding in findings)
    seen = Counter[tuple[str, str]]()
    for finding in findings:
        about = (finding.claim, finding.device)
        seen[about] += 1
        more = numbers[about] - _FINDINGS_EACH
        if more < 2 or seen[about] <= _FINDINGS_EACH:
            yield finding.sentence
        elif seen[about] == _FINDINGS_EACH + 1:
            yield f"{finding.claim}: {finding.device}: and {more} more, all of them in result.json"
    yield from result.ends_beside_mismatch


def plan_table(case: str, plan: Plan) -> Table:
    """Return a table of a plan's disks: their places in the normal and the rescued domain, and their Linux names."""
    table = Table(title=case, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("disk", "bus", "device", "normal", "in Linux", "address", "rescued", "in Linux", "address"):
        table.add_column(heading, overflow="fold")
    for disk in planned_disks(plan):
        moved = disk.normal is not None and disk.rescued is not None and disk.normal != disk.rescued
        style = "green" if disk.normal is None else "yellow" if moved else ""
        table.add_row(disk.name, disk.bus, disk.device, *_place(disk.normal), *_place(disk.rescued), style=style)
    return table


def _place(place: PlannedPlace | None) -> tuple[str, str, str]:
    if place is None:
        return "-", "-", "-"
    names = place.kernel_names
    if names is None:
        return place.target, "-", place.address
    span = f" of {names.possible[0]}..{names.possible[-1]}" if names.possible != names.usual else ""
    return place.target, f"{names}{span}", place.address
