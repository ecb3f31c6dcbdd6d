"""The commands that go beyond scenarios as they are written: every combination, random ones, seeded faults, tables."""

from __future__ import annotations

import re
import secrets
import sys
from pathlib import Path

import click

from harness.commands.options import implementation_option, level_option, results_option
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, collect_cases, matches_keyword
from harness.reading.loading import load_scenarios
from harness.report.terminal.console import open_console, status_on
from harness.scenario.words import Level


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@results_option("Where the grid and the CSV file go.")
@implementation_option(multiple=False)
def sweep(paths: tuple[Path, ...], results: Path, name: str) -> None:
    """Plan every combination of the free keys of scenarios, without booting; without PATHS the shipped sweep.

    A scenario names its free keys under 'sweep'. Exit code: 0 each combination is stable or refused, 1 one is not.
    """
    from harness.implementation.registry import implementation_of, opened  # noqa: PLC0415 - libvirt is slow to load
    from harness.level.planner import open_planner  # noqa: PLC0415
    from harness.report.terminal.sweeping import run_sweep  # noqa: PLC0415
    from harness.result.run_path import make_run_path, run_name  # noqa: PLC0415
    from harness.study.sweep import SHIPPED_SWEEP, Sweep  # noqa: PLC0415

    console = open_console()
    implementation = implementation_of(name)
    sweeps = [Sweep.of(loaded.scenario) for loaded in load_scenarios(paths or [SHIPPED_SWEEP])]
    folder = make_run_path(results / run_name())
    with opened([implementation]), open_planner() as planner:
        good = [run_sweep(each, planner, implementation, folder, console) for each in sweeps]
    console.print(f"results: {folder}", soft_wrap=True)
    sys.exit(0 if all(good) else 1)


def _seconds(_context: click.Context, _option: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
    if match is None:
        raise click.BadParameter(f"{value} is no duration such as 90s, 10m or 1h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


@click.command()
@click.option("--budget", callback=_seconds, default="2m", show_default=True, help="How long: 90s, 10m, 1h.")
@click.option("--seed", type=click.IntRange(0), help="Explore what an earlier run explored. Default: a new one.")
@level_option(Level.PLAN, "The deepest level at which a sample is run.")
@results_option("Where failing scenarios go, and what the sample's runs leave.")
def explore(budget: float, seed: int | None, level: Level, results: Path) -> None:
    """Plan random scenarios and run a sample of them deeper; write a failing one as a scenario file, made small.

    Needs the extra 'explore'. Exit code: 0 each was stable, refused or moved as expected, 1 one was not.
    """
    from harness.report.terminal.exploring import run_exploration  # noqa: PLC0415
    from harness.run.session import open_session  # noqa: PLC0415 - libvirt is slow to load and may be missing

    console = open_console()
    seed = secrets.randbelow(2**32) if seed is None else seed
    with open_session(results, progress=status_on(console), level=level) as session:
        good = run_exploration(session, Reference(), seed=seed, budget_s=budget, level=level, console=console)
    sys.exit(0 if good else 1)


@click.command()
@click.option("--markdown", is_flag=True, help="As docs/reference/combinations.md has it.")
def combinations(markdown: bool) -> None:
    """Show which bus boots with which device, machine and firmware, and who refuses the others."""
    from harness.report.terminal.table import combinations_table  # noqa: PLC0415
    from harness.study.combinations import combinations_page  # noqa: PLC0415

    if markdown:
        click.echo(combinations_page(), nl=False)
    else:
        open_console().print(combinations_table())


@click.command()
def machines() -> None:
    """List the machine types that this QEMU has, as 'instance.machine' takes them."""
    from harness.hypervisor.machines import machine_types  # noqa: PLC0415
    from harness.level.planner import open_planner  # noqa: PLC0415

    console = open_console()
    with open_planner() as planner:
        for machine in machine_types(planner.connection):
            console.print(f"{machine.name:<20} {machine.remark}")


@click.command()
@level_option(Level.PLAN, "Try also the faults that show at this level only: in a paused QEMU, in a booted guest.")
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only faults whose name or claim matches, as pytest's -k.")
@results_option("Where the run's folder goes, beyond level plan.")
@click.option(
    "--markdown", is_flag=True, help="Print the list of faults as docs/reference/faults.md has it, and try none."
)
def prove(level: Level, keyword: str | None, results: Path, markdown: bool) -> None:
    """Break rescue on purpose, in many ways, and see that each is noticed by the claim that should.

    Exit code: 0 each fault was caught, 1 one was not, 3 host or harness failed, 130 interrupted.
    """
    from harness.report.markdown.faults_page import faults_page  # noqa: PLC0415
    from harness.report.terminal.proving import run_proofs  # noqa: PLC0415
    from harness.study.prove import faults  # noqa: PLC0415
    from harness.study.prove.prover import open_prover  # noqa: PLC0415 - libvirt is slow to load and may be missing

    if markdown and keyword is not None:
        raise click.UsageError("--markdown prints all faults: -k does not go with it")
    if markdown:
        click.echo(faults_page(faults.FAULTS), nl=False)
        return
    chosen = [
        fault for fault in faults.FAULTS if keyword is None or matches_keyword(keyword, f"{fault.name} {fault.claim}")
    ]
    if not chosen:
        raise click.UsageError(f"no fault matches -k '{keyword}'")
    console = open_console()
    cases = [
        case
        for case in collect_cases([SHIPPED_SUITE], Reference(), level=Level.PLAN)
        # The others boot the like of those that are for level plan alone.
        if case.point.scenario.deepest_level is Level.GUEST
    ]
    with open_prover(cases, level, results, progress=status_on(console)) as prover:
        sys.exit(run_proofs(prover, chosen, console).exit_code)
