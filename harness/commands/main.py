"""The command ``rescue-harness``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from harness import __version__
from harness.commands.comparison import claims, rates
from harness.commands.exhaustive import combinations, explore, machines, prove, sweep
from harness.commands.gate import baseline, gate_nova
from harness.commands.nova import nova
from harness.commands.options import boot_timeout_option, implementation_option, level_option, results_option
from harness.counting import counted
from harness.errors import HarnessError, HostError, Refused, ScenarioError
from harness.implementation.protocol import Implementation
from harness.implementation.reference.implementation import Reference
from harness.interruption import interrupted_once
from harness.reading.cases import SHIPPED_SUITE, Case, collect_cases, deepest_level, matches_keyword
from harness.report.terminal.console import open_console, status_on
from harness.result.case_result import CaseResult, Refusal
from harness.scenario.words import Level

INTERRUPTED = 130


class _Commands(click.Group):
    """Turns our errors into one message and their exit code."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            with interrupted_once():
                return super().invoke(ctx)
        except HarnessError as error:
            open_console(stderr=True).print(f"error: {error}", soft_wrap=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            open_console(stderr=True).print(f"error: {error.strerror or error}: {error.filename or 'no file named'}")
            ctx.exit(HostError.exit_code)
        except ImportError as error:
            if error.name not in ("libvirt", "libvirtmod"):
                raise
            open_console(stderr=True).print(f"error: libvirt's library cannot be loaded: {error}\n  install libvirt0")
            ctx.exit(HostError.exit_code)
        except KeyboardInterrupt:
            open_console(stderr=True).print("interrupted: nothing is left running")
            ctx.exit(INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rescue-harness")
def main() -> None:
    """Prove, in real guests, whether an instance's disks stay where they are while it is rescued."""


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only cases whose id matches, as pytest's -k.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Guests at once. Default: by cores and free memory.")
@results_option("Where the run's folder goes.")
@level_option(
    Level.GUEST,
    "Where evidence comes from: libvirt's definition, a paused QEMU, a booted guest. A scenario may ask for more.",
)
@implementation_option(multiple=True)
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True, help="Run each case so many times.")
@click.option("--keep-going", is_flag=True, help="Go on after a case that is not as expected.")
@boot_timeout_option()
@click.option(
    "--control-boots",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Boots of each state that tell a kernel race from a moved disk.",
)
def run(
    paths: tuple[Path, ...],
    keyword: str | None,
    jobs: int | None,
    results: Path,
    level: Level,
    names: tuple[str, ...],
    repeat: int,
    keep_going: bool,
    boot_timeout: float | None,
    control_boots: int,
) -> None:
    """Run scenario files, or folders of them; without PATHS the shipped suite.

    Exit code: 0 all as expected, 1 something was not, 2 the input is wrong, 3 host or harness failed, 130 interrupted.
    """
    from harness.implementation.registry import (  # noqa: PLC0415 - libvirt is slow to load and may be missing
        Implementations,
        implementations_of,
        opened,
        require_level,
    )
    from harness.report.terminal.progress import RunDisplay  # noqa: PLC0415
    from harness.run.cost import duration_text, expected_s, rest_of_the_suite  # noqa: PLC0415
    from harness.run.pool import CasePool, default_jobs, obtain_needed_images  # noqa: PLC0415
    from harness.run.session import open_session  # noqa: PLC0415

    implementations = implementations_of(names)
    require_level(implementations, level)
    wanted = _cases(paths, keyword, repeat, level, implementations)
    under_test = Implementations(*implementations)
    cases = [case for case in wanted if under_test.have_level(case.implementation, case.level)]
    if not cases:
        raise ScenarioError(f"{wanted[0].id} asks for level {wanted[0].level}, which its implementation does not have")
    console = open_console()
    finished: list[CaseResult] = []
    with (
        opened(implementations) as held,
        open_session(
            results,
            progress=status_on(console),
            boot_timeout_s=boot_timeout,
            control_boots=control_boots,
            level=deepest_level(cases),
            implementations=held,
        ) as session,
    ):
        jobs = jobs or default_jobs(cases)
        accelerator = session.hypervisor.accelerator
        duration = duration_text(expected_s(cases, accelerator.canary_s, jobs))
        console.print(f"{counted(len(cases), 'case')}, {jobs} at once, {duration}; {accelerator.reason}", style="dim")
        for case in wanted:
            if case not in cases:
                console.print(f"left out: {case.id} asks for level {case.level}", style="dim", soft_wrap=True)
        obtain_needed_images(cases, session)
        try:
            with (
                RunDisplay(console, len(cases)) as display,
                CasePool(cases, session, display, jobs=jobs, ahead=None if keep_going else jobs) as pool,
            ):
                for index in range(len(cases)):
                    finished.append(pool.result(index))
                    if not keep_going and not finished[-1].as_expected:
                        break
        finally:
            known = {result.case: result for result in (*session.folder.results, *finished)}
            results_in_order = [known[case.id] for case in cases if case.id in known]
            _report(console, results_in_order, len(cases), session.folder.path)
    are_folders = bool(paths) and all(path.is_dir() for path in paths)
    if are_folders and (rest := rest_of_the_suite(cases, level, accelerator.canary_s, jobs)):
        all_of_it = "rescue-harness run" + (f" --level {level}" if level is not Level.GUEST else "")
        console.print(f"{rest}: {all_of_it}", style="dim", soft_wrap=True)
    sys.exit(exit_code(results_in_order))


def _cases(
    paths: Sequence[Path],
    keyword: str | None,
    repeat: int = 1,
    level: Level = Level.GUEST,
    implementations: Sequence[Implementation] = (Reference(),),
) -> list[Case]:
    """The cases, those that differ in nothing but the implementation side by side."""
    left_out: list[tuple[Case, HostError]] = []
    of_each = [
        collect_cases(
            paths or [SHIPPED_SUITE],
            implementation,
            repeat=repeat,
            level=level,
            left_out=lambda case, why: left_out.append((case, why)),
        )
        for implementation in implementations
    ]
    cases = [case for row in zip(*of_each, strict=True) for case in row]
    if keyword is not None:
        cases = [case for case in cases if matches_keyword(keyword, case.id)]
        left_out = [(case, why) for case, why in left_out if matches_keyword(keyword, case.id)]
    if left_out and not cases:
        raise left_out[0][1]
    for case, why in left_out:
        open_console().print(f"left out: {case.id}: {why.message}", style="dim", soft_wrap=True)
    if not cases:
        raise click.UsageError(f"no case matches -k '{keyword}'")
    return cases


def _report(console: Console, results: Sequence[CaseResult], total: int, folder: Path) -> None:
    from harness.report.terminal.rates import show_rates  # noqa: PLC0415
    from harness.report.terminal.table import coverage_sentences, results_table  # noqa: PLC0415
    from harness.study.rates import rates_of  # noqa: PLC0415

    console.print()
    counts = []
    if any(result.repetition > 1 for result in results):
        show_rates(rates_of(results), console)
    else:
        console.print(results_table(results))
        expected = sum(result.as_expected for result in results)
        counts.append(f"{expected} as expected, {len(results) - expected} not")
    for sentence in coverage_sentences(results):
        console.print(sentence, style="dim", soft_wrap=True)
    if left := total - len(results):
        counts.append(f"{left} not run")
    console.print("\n" + "; ".join([*counts, f"results: {folder}"]), soft_wrap=True)


def exit_code(results: Sequence[CaseResult]) -> int:
    """0 all as expected, 1 a verdict was not, 2 a scenario expects nothing here, 3 host or harness failed."""
    failures = {result.failure.kind for result in results if result.failure is not None}
    if failures == {ScenarioError.__name__}:
        return ScenarioError.exit_code
    if failures:
        return HostError.exit_code
    return 0 if all(result.as_expected for result in results) else 1


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only cases whose id matches, as pytest's -k.")
@click.option("--xml/--no-xml", default=True, help="With or without the domain XML of each state.")
@implementation_option(multiple=False)
def show(scenario: Path, keyword: str | None, xml: bool, name: str) -> None:
    """Show the domains and disks of a scenario in each state, as libvirt completes them, without booting."""
    from harness.implementation.registry import implementation_of, opened  # noqa: PLC0415
    from harness.level.planner import open_planner  # noqa: PLC0415
    from harness.report.terminal.table import plan_table  # noqa: PLC0415

    implementation = implementation_of(name)
    cases = _cases([scenario], keyword, level=Level.PLAN, implementations=[implementation])
    console = open_console()
    with opened([implementation]), open_planner() as planner:
        for case in cases:
            try:
                plan = planner.plan(case, implementation)
            except Refused as refused:
                console.print(f"{case.id}: {Refusal.of(refused)}\n", soft_wrap=True)
                continue
            for state, text in plan.xml_by_state.items() if xml else ():
                console.print(f"<!-- {case.id}: {state} -->", style="bold")
                console.print(Syntax(text.strip(), "xml", background_color="default", word_wrap=False))
            console.print(plan_table(case.id, plan))
            if plan.refusal is not None:
                console.print(str(Refusal.of(plan.refusal)))
            console.print()


@main.command()
def doctor() -> None:
    """Say what this host can do, and what to do where it can't."""
    from harness.hypervisor.diagnosis import diagnose  # noqa: PLC0415

    console = open_console()
    bad = False
    for check in diagnose(status_on(console)):
        bad |= not check.good and not check.optional
        mark = ("✓", "green") if check.good else ("-", "dim") if check.optional else ("✗", "bold red")
        console.print(Text.assemble(mark, f" {check.subject:<20} {check.seen}"), soft_wrap=True)
        if not check.good and check.hint:
            console.print(f"    {check.hint}", soft_wrap=True)
    sys.exit(HostError.exit_code if bad else 0)


@main.command()
def clean() -> None:
    """Remove what dead runs have left: domains, processes, overlays."""
    from harness.hypervisor.roots import clean_all  # noqa: PLC0415

    console = open_console()
    found = clean_all()
    for path, leftovers in found:
        console.print(f"{path}: removed {leftovers}", soft_wrap=True)
    if not found:
        console.print("nothing was left")


@main.command()
@click.option("--result", is_flag=True, help="The schema of result.json instead.")
@click.option("--worker", is_flag=True, help="The schema of what is said to a Nova's worker and what it answers.")
@click.option("--gate", is_flag=True, help="The schema of gate.json, which gate-nova writes.")
def schema(result: bool, worker: bool, gate: bool) -> None:
    """Print the JSON Schema of scenario files."""
    if result + worker + gate > 1:
        raise click.UsageError("--result, --worker and --gate do not go together: one schema at a time")
    if gate:
        from harness.study.compare.gate_record import gate_schema  # noqa: PLC0415

        click.echo(json.dumps(gate_schema(), indent=2))
        return
    if worker:
        from harness.implementation.nova.messages import worker_schema  # noqa: PLC0415

        click.echo(json.dumps(worker_schema(), indent=2))
        return
    from harness.reading.schema import scenario_schema  # noqa: PLC0415
    from harness.result.case_result import result_schema  # noqa: PLC0415

    click.echo(json.dumps(result_schema() if result else scenario_schema(), indent=2))


for command in (sweep, explore, prove, combinations, machines, nova, gate_nova, claims, rates):
    main.add_command(command)
nova.add_command(baseline)
