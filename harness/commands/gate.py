"""``rescue-harness gate-nova`` and ``nova baseline``: what a change to Nova, or another Nova, did to the suite."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness.commands.options import boot_timeout_option, level_option, results_option
from harness.errors import HostError, ScenarioError
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases, matches_keyword
from harness.report.terminal.console import open_console, status_on
from harness.scenario.words import Level, VerdictName

if TYPE_CHECKING:
    from harness.study.compare.baseline import Baseline
    from harness.study.compare.case_comparison import Comparison


@click.command("gate-nova")
@click.argument("checkout", type=click.Path(path_type=Path), default=Path())
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--base", "reference", metavar="REF", help="What the change began from. Default: the upstream branch.")
@click.option(
    "--environment",
    metavar="VERSION|PATH",
    help="An added Nova whose libraries both sides use. Default: the checkout's own, see 'nova add --checkout'.",
)
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only cases whose id matches, as pytest's -k.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Cases at once. Default: by cores and free memory.")
@level_option(Level.PLAN, "Where evidence comes from. Scenarios that ask for more are left out.")
@results_option("Where the run's folder goes.")
def gate_nova(
    checkout: Path,
    paths: tuple[Path, ...],
    reference: str | None,
    environment: str | None,
    keyword: str | None,
    jobs: int | None,
    level: Level,
    results: Path,
) -> None:
    """Run scenarios on a git CHECKOUT of Nova as it is on disk, and on the commit that its change began from.

    Without PATHS the shipped suite. Only what the change made worse fails. Exit code: 0 nothing did, 1 something did,
    2 the input is wrong, 3 host or harness failed, 130 interrupted.
    """
    from harness.implementation.nova.environments import Environments  # noqa: PLC0415
    from harness.implementation.nova.implementation import Nova  # noqa: PLC0415
    from harness.implementation.registry import opened, require_level  # noqa: PLC0415
    from harness.report.terminal.gating import GateDisplay, show_gate  # noqa: PLC0415
    from harness.result.folders import write_atomically  # noqa: PLC0415
    from harness.run.pool import default_jobs, obtain_needed_images  # noqa: PLC0415
    from harness.run.session import open_session  # noqa: PLC0415
    from harness.study.compare.change_base import base_of, file_at, top_of  # noqa: PLC0415 - libvirt is slow to load
    from harness.study.compare.gate_record import GateRecord, Side  # noqa: PLC0415
    from harness.study.compare.sides import comparisons_of, run_on, sides_of  # noqa: PLC0415

    console = open_console()
    top = top_of(checkout)
    base = base_of(top, reference)
    lender = Environments().find(environment or str(top))
    require_level([Nova(lender)], level)
    cases = _cases(paths, keyword, level)
    console.print(str(base), style="dim", soft_wrap=True)
    requirements_differ = file_at(top, base.commit, "requirements.txt") != (top / "requirements.txt").read_text()
    if requirements_differ:
        console.print(f"requirements.txt differs: both sides use the libraries of {lender.name}", soft_wrap=True)
    with ExitStack() as stack:
        sides = stack.enter_context(sides_of(top, base, lender))
        novas = (Nova(sides.base), Nova(sides.change))
        held = stack.enter_context(opened(novas))
        session = stack.enter_context(
            open_session(results, progress=status_on(console), level=level, implementations=held)
        )
        obtain_needed_images(cases, session)
        with GateDisplay(console, 2 * len(cases)) as display:
            of_base, of_change = run_on(cases, novas, session, display, jobs=jobs or default_jobs(cases))
        versions = session.hypervisor.versions
        record = GateRecord(
            checkout=str(top),
            reference=base.reference,
            base=Side(implementation=novas[0].name, commit=base.commit, version=sides.base.known_version),
            change=Side(implementation=novas[1].name, commit=base.head, version=sides.change.known_version),
            is_dirty=base.is_dirty,
            requirements_differ=requirements_differ,
            environment=lender.name,
            level=level,
            versions=versions,
            comparisons=comparisons_of(cases, of_base, of_change, versions),
        )
        write_atomically(session.folder.path / "gate.json", record.model_dump_json(indent=1) + "\n")
    show_gate(record, console)
    console.print(f"results: {session.folder.path}", style="dim", soft_wrap=True)
    sys.exit(record.exit_code)


@click.command()
@click.argument("version")
@click.option("--against", metavar="VERSION", help="Compare with this release's baseline. Default: its own.")
@click.option("--write", is_flag=True, help="Write its own baseline anew in place of comparing.")
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only cases whose id matches, as pytest's -k.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Cases at once. Default: by cores and free memory.")
@level_option(Level.PLAN, "Where evidence comes from: at guest eight cases stand for the suite.")
@boot_timeout_option()
@results_option("Where the run's folder goes.")
def baseline(
    version: str,
    against: str | None,
    write: bool,
    keyword: str | None,
    jobs: int | None,
    level: Level,
    boot_timeout: float | None,
    results: Path,
) -> None:
    """Run the shipped suite on an added Nova and compare with what is kept of it, or of another release.

    Exit code: 0 nothing differs, 1 something does, 2 the input is wrong, 3 host or harness failed, or something differs
    and the baseline was made on another libvirt or QEMU.
    """
    from harness.implementation.nova.environments import Environments  # noqa: PLC0415
    from harness.implementation.nova.implementation import Nova  # noqa: PLC0415
    from harness.implementation.registry import opened, require_level  # noqa: PLC0415
    from harness.report.terminal.gating import GateDisplay, show_differing  # noqa: PLC0415
    from harness.result.folders import write_atomically  # noqa: PLC0415
    from harness.run.pool import default_jobs, obtain_needed_images  # noqa: PLC0415
    from harness.run.session import open_session  # noqa: PLC0415
    from harness.study.compare.baseline import Baseline, baseline_path, read_baseline  # noqa: PLC0415 - libvirt is slow to load
    from harness.study.compare.sides import comparisons_of, run_on  # noqa: PLC0415

    if write and keyword is not None:
        raise click.UsageError("a baseline is written whole: --write and -k do not go together")
    if write and against is not None:
        raise click.UsageError("--write and --against do not go together: the one writes, the other compares")
    console = open_console()
    environment = Environments().find(version)
    nova = Nova(environment)
    require_level([nova], level)
    kept = None if write else read_baseline(against or environment.known_version or version, level)
    cases = _representatives(keyword) if level is Level.GUEST else _cases((), keyword, level)
    # A control boot would only find that a name of the eight is no race.
    with (
        opened([nova]) as held,
        open_session(
            results,
            progress=status_on(console),
            boot_timeout_s=boot_timeout,
            control_boots=0,
            level=level,
            implementations=held,
        ) as session,
    ):
        obtain_needed_images(cases, session)
        with GateDisplay(console, len(cases)) as display:
            (seen,) = run_on(cases, [nova], session, display, jobs=jobs or default_jobs(cases))
        here = session.hypervisor.versions
    errors = [(case, outcome) for case, outcome in seen.items() if outcome.verdict is VerdictName.ERROR]
    if kept is None:
        if errors:
            name, trouble = errors[0]
            raise HostError(f"{name}: {trouble}", hint="nothing was written: a baseline has no errors")
        made = Baseline.of(environment.known_version or version, level, here, seen)
        path = baseline_path(made.nova, level)
        write_atomically(path, made.text())
        console.print(f"{len(cases)} cases were written to {path}", soft_wrap=True)
        return
    kept = kept.only(lambda case: keyword is None or matches_keyword(keyword, case))
    both = [case for case in cases if case.id in kept.cases]
    comparisons = comparisons_of(both, kept.cases, seen, here)
    show_differing(comparisons, console, (f"baseline of {kept.nova}", nova.name))
    code = _told(console, kept, comparisons, [case.id for case in cases], here)
    sys.exit(HostError.exit_code if errors else code)


def _cases(paths: tuple[Path, ...], keyword: str | None, level: Level) -> list[Case]:
    """The cases of both sides; those that this host cannot run or that ask for more are left out, with a line each."""
    left_out: list[tuple[Case, str]] = []

    def leave_out(case: Case, why: HostError) -> None:
        left_out.append((case, why.message))

    found = collect_cases(paths or [SHIPPED_SUITE], Reference(), keyword=keyword, level=level, left_out=leave_out)
    cases = [case for case in found if case.level.is_within(level)]
    left_out += [(case, f"it asks for level {case.level}") for case in found if not case.level.is_within(level)]
    for case, why in left_out:
        open_console().print(f"left out: {case.id}: {why}", style="dim", soft_wrap=True)
    return _some(cases, keyword)


def _representatives(keyword: str | None) -> list[Case]:
    """The cases that stand for the shipped suite at level guest."""
    from harness.study.compare.representatives import representatives_of  # noqa: PLC0415

    suite = collect_cases([SHIPPED_SUITE], Reference(), keyword=keyword)
    return _some(representatives_of(suite), keyword)


def _some(cases: list[Case], keyword: str | None) -> list[Case]:
    if not cases:
        raise ScenarioError("there is no case to run" + (f": none matches -k '{keyword}'" if keyword else ""))
    return cases


def _told(
    console: Console, kept: Baseline, comparisons: Sequence[Comparison], ran: Sequence[str], here: Mapping[str, str]
) -> int:
    """Say how a baseline compares, and give the exit code of that."""
    from harness.study.compare.case_comparison import Change, tally  # noqa: PLC0415

    new, gone = sorted(set(ran) - set(kept.cases)), sorted(set(kept.cases) - set(ran))
    for case in new:
        console.print(f"not in the baseline: {case}", soft_wrap=True)
    for case in gone:
        console.print(f"only in the baseline: {case}", soft_wrap=True)
    console.print(f"{len(comparisons)} cases: {tally(comparisons)}", soft_wrap=True)
    is_same = not new and not gone and all(each.kind is Change.UNCHANGED for each in comparisons)
    if other := kept.other_hypervisor(here):
        console.print(other, style="yellow", soft_wrap=True)
    if is_same:
        return 0
    return HostError.exit_code if other else 1
