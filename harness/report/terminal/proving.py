"""Proofs on the terminal: progress, one row for each fault, and the reasons why a fault is not proven."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from harness.report.terminal.console import now_and_then_on
from harness.scenario.words import Level
from harness.study.prove.faults import Fault
from harness.study.prove.proof import Proof, Proofs
from harness.study.prove.prover import Prover

_SHOWN_PROBLEMS = 5


def run_proofs(prover: Prover, faults: Sequence[Fault], console: Console) -> Proofs:
    """Prove the faults, and show which were caught."""
    started = time.monotonic()
    proofs: list[Proof] = []
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    say = now_and_then_on(console)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(faults))

        def under_way(text: str) -> None:
            progress.update(task, description=text)
            say(f"{len(proofs)} of {len(faults)} faults tried; {text}")

        for proof in prover.prove(faults, under_way):
            proofs.append(proof)
            progress.advance(task)
    result = Proofs(tuple(proofs), prover.controls)
    console.print(_table(result))
    for line in _problems(result):
        console.print(line, style="red", soft_wrap=True)
    console.print()
    for line in _summary(result, time.monotonic() - started):
        console.print(line, soft_wrap=True)
    return result


def _table(result: Proofs) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("fault", "what is broken", "claim", "level", "caught"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"fault", "caught"})
    for proof in result.proofs:
        fault = proof.fault
        table.add_row(fault.name, fault.summary, str(fault.claim), str(fault.level), _caught(proof))
    return table


def _caught(proof: Proof) -> Text:
    tally = f"{len(proof.caught)} of {len(proof.counted)}"
    if proof.problems:
        return Text.assemble(("✗ ", "bold red"), tally)
    return Text("left out", "dim") if proof.is_left_out else Text.assemble(("✓ ", "green"), tally)


def _problems(result: Proofs) -> Iterator[str]:
    for control in result.misses:
        for sentence in control.mismatch:
            yield f"the reference itself, {control.case} at level {control.level}: {sentence}"
    for proof in result.proofs:
        for problem in proof.problems[:_SHOWN_PROBLEMS]:
            yield f"{proof.fault.name} {problem}"
        if len(proof.problems) > _SHOWN_PROBLEMS:
            yield f"{proof.fault.name}: and {len(proof.problems) - _SHOWN_PROBLEMS} more such cases"


def _summary(result: Proofs, elapsed_s: float) -> Iterator[str]:
    left_out = [proof for proof in result.proofs if proof.is_left_out]
    tried = [proof for proof in result.proofs if not proof.is_left_out]
    caught = sum(not proof.problems for proof in tried)
    trials = sum(len(proof.trials) for proof in result.proofs)
    yield (
        f"{caught} of {len(tried)} faults caught, {trials:,} trials in {elapsed_s:.1f} s;"
        f" the reference as expected in {len(result.controls) - len(result.misses)} of {len(result.controls)} cases"
    )
    if left_out:
        counts = Counter(proof.fault.level for proof in left_out)
        deeper = [level for level in Level if level in counts]
        where = " and ".join(f"{counts[level]} at level {level}" for level in deeper)
        yield f"left out: {where} only; to try them, too: rescue-harness prove --level {deeper[-1]}"
