"""Speed and size, measured on this host in one run and printed as ratios: ``make bench``.

Some ratios compare two things measured side by side, so that the host's own speed cancels out. Others compare a figure
with its limit.
"""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from harness.benchmark.guests import measure_guests, measure_memory
from harness.benchmark.nova import measure_nova, measure_nova_guests, newest_release
from harness.benchmark.plans import measure_sweep
from harness.benchmark.start_up import measure_start_up
from harness.run.on_ramp import RunOptions, open_run

_SCENARIO = """\
name: bench
summary: A root disk and a volume, rescued from a virtio disk
instance:
  machine: pc
  disks: [{role: root}, {role: volume}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Boots and cases per figure.")
def main(rounds: int) -> None:
    """Measure speed and size, and print the figures."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="rescue-harness-bench-") as folder:
        scenario = Path(folder) / "bench.yaml"
        scenario.write_text(_SCENARIO)
        with open_run(RunOptions(Path(folder) / "results"), progress=console.print) as run:
            session = run.session
            console.print(session.hypervisor.accelerator.reason)
            table = Table(box=None, padding=(0, 2, 0, 0))
            for heading in ("figure", "measured", "limit", "", "from"):
                table.add_column(heading)
            nova = newest_release()
            if nova is None:
                console.print("Nova is left out: 'rescue-harness nova add' adds one")
            for measure in chain(
                measure_start_up(),
                measure_guests(run, scenario, rounds),
                measure_sweep(session),
                measure_nova(nova, session),
                measure_nova_guests(nova, session, scenario),
                measure_memory(run, scenario),
            ):
                console.print(f"  {measure.name}: {measure.value:.2f}{measure.unit}")
                sign = "≤" if measure.at_most else "≥"
                table.add_row(
                    measure.name,
                    f"{measure.value:.2f}{measure.unit}",
                    f"{sign} {measure.limit:g}{measure.unit}",
                    "ok" if measure.holds else "MISSED",
                    measure.details,
                )
    console.print()
    console.print(table)


if __name__ == "__main__":
    main()
