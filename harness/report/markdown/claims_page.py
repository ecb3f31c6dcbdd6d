"""Set implementations side by side, case by case and claim by claim, from the results of runs.

``docs/nova/claims.md`` is this page for ``scenarios/nova``. Tests compare the page with the expectations of the
scenarios and with the results of running them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from packaging.version import InvalidVersion, Version

from harness.errors import GuestAfter, who_refused
from harness.result.case_result import CaseResult, RunSummary
from harness.scenario.words import ClaimName, Level, VerdictName

HEADER = """\
# Implementations, claim by claim

`rescue-harness claims` makes this page from results. Implementations with the same outcome in every row share a column.
[Findings](findings.md) explains the cases, and [the reference of claims](../reference/claims.md) explains each claim.

"""
CASES_HEADING = "## Case by case"
CLAIMS_HEADING = "## Claim by claim"
SAME = "-"
Cells = Mapping[tuple[str, Level], Mapping[str, str]]


def latest_results(runs: Iterable[RunSummary]) -> list[CaseResult]:
    """Return all results of runs; for a case that comes twice, return the later result."""
    found: dict[tuple[str, Level], CaseResult] = {}
    for run in runs:
        found |= {(result.case, result.level): result for result in run.results}
    return list(found.values())


def cells_of(results: Iterable[CaseResult]) -> dict[tuple[str, Level], dict[str, str]]:
    """Return the outcome of each case at each level, by implementation, in order of the cases' names."""
    cells: dict[tuple[str, Level], dict[str, str]] = {}
    for result in results:
        row = cells.setdefault((result.shared_case, result.level), {})
        row[result.implementation] = cell_of(result)
    return dict(sorted(cells.items()))


def cell_of(result: CaseResult) -> str:
    """Describe one result in a few words."""
    if result.refusal is not None:
        what = "instance " if result.refusal.guest is GuestAfter.NEVER_MADE else ""
        return what + who_refused(result.refusal.refused_by, result.refusal.guest)
    if result.verdict is not VerdictName.MOVED:
        return str(result.verdict)
    return ", ".join(dict.fromkeys(str(status.claim) for status in result.claims if status.status == "broken"))


def claims_page(results: Sequence[CaseResult]) -> str:
    """Return the page as Markdown."""
    cells = cells_of(results)
    columns = _columns(cells)
    versions = sorted({(name, version) for each in results for name, version in each.versions.items()})
    made_on = " and ".join(
        f"{title} {', '.join(version for name, version in versions if name == key)}"
        for title, key in (("libvirt", "libvirt"), ("QEMU", "qemu"))
    )
    return "\n".join(
        [
            f"{HEADER}Seen on {made_on}.\n",
            f"{CLAIMS_HEADING}\n",
            "Each cell counts the rescues in which the claim held, as far as the level sees, and those that broke the",
            "claim. Refused rescues count only in the last row.\n",
            *_table(["level", "claim", *map(_heading, columns)], _claim_rows(results, columns)),
            f"\n{CASES_HEADING}\n",
            "*stable* means that every claim held, as far as the level sees. A claim's name means that it broke.\n",
            *_table(["case", "level", *map(_heading, columns)], _case_rows(cells, columns)),
            "",
        ]
    )


def cells_on(page: str) -> dict[tuple[str, Level], dict[str, str]]:
    """Read a page made by ``claims_page``: the outcome of each case at each level, by implementation."""
    _, _, table = page.partition(CASES_HEADING)
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    heads, _rule, *cases = rows
    groups = [heading.split(", ") for heading in heads[2:]]
    return {
        (case.strip("`"), Level(level)): {name: cell for group, cell in zip(groups, row, strict=True) for name in group}
        for case, level, *row in cases
    }


def _columns(cells: Cells) -> list[tuple[str, ...]]:
    """Group the implementations that had the same outcome in every row, the harness's own first."""
    names = {name for row in cells.values() for name in row}
    by_column: dict[tuple[str | None, ...], list[str]] = {}
    for name in sorted(names, key=_order):
        by_column.setdefault(tuple(row.get(name) for row in cells.values()), []).append(name)
    return [tuple(group) for group in by_column.values()]


def _order(name: str) -> tuple[bool, Version, str]:
    kind, _, version = name.partition(":")
    try:
        return bool(version), Version(version or "0"), kind
    except InvalidVersion:
        return True, Version("0"), name


def _heading(names: Sequence[str]) -> str:
    return ", ".join(names)


def _case_rows(cells: Cells, columns: Sequence[Sequence[str]]) -> list[list[str]]:
    return [
        [f"`{case}`", str(level), *(row.get(names[0], SAME) for names in columns)]
        for (case, level), row in cells.items()
    ]


def _claim_rows(results: Sequence[CaseResult], columns: Sequence[Sequence[str]]) -> list[list[str]]:
    rows = []
    for level in (each for each in Level if any(result.level is each for result in results)):
        of_column = [
            [result for result in results if result.level is level and result.implementation == names[0]]
            for names in columns
        ]
        for claim in ClaimName:
            rows.append([str(level), f"`{claim}`", *(_count(claim, column) for column in of_column)])
        refused = [str(sum(result.refusal is not None for result in column)) for column in of_column]
        rows.append([str(level), "refused", *refused])
    return rows


def _count(claim: ClaimName, results: Iterable[CaseResult]) -> str:
    statuses = [status.status for result in results for status in result.claims if status.claim is claim]
    if all(status == "not-checked" for status in statuses):
        return "not checked" if statuses else SAME
    broken = statuses.count("broken")
    return f"held {len(statuses) - broken}" + (f", **broken {broken}**" if broken else "")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
