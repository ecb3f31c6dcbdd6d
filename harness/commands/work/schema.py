"""``rescue-harness schema``: one of the JSON Schemas."""

from __future__ import annotations

import json

import click

from harness.implementation.nova.messages import worker_schema
from harness.reading.schema import scenario_schema
from harness.result.case_result import result_schema
from harness.study.compare.gate_record import gate_schema


def work(result: bool, worker: bool, gate: bool) -> None:
    """Print a schema."""
    if result + worker + gate > 1:
        raise click.UsageError("--result, --worker and --gate do not go together: one schema at a time")
    schema = gate_schema if gate else worker_schema if worker else result_schema if result else scenario_schema
    click.echo(json.dumps(schema(), indent=2))
