"""Look at an instance from the host, so that a refused rescue cannot hide what it has done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.hypervisor.connection import definition_of
from harness.instance.before_rescue import files_of
from harness.instance.life_cycle import LifeCycle
from harness.verdict.refusing import Traces


def traces_of(life_cycle: LifeCycle[Any], run: str | None, *, is_still: bool) -> Traces:
    """Return the traces of an instance; ``run`` is the guest's present run, None if it is off.

    ``is_still``: no guest runs that writes to its disks, so that the times of their files tell a write.
    """
    domain = life_cycle.domain_if_any
    return Traces(
        run=run,
        live_xml=domain.XMLDesc(0) if domain is not None and domain.isActive() else None,
        defined_xml=definition_of(domain) if domain is not None and domain.isPersistent() else None,
        variables=life_cycle.variables.digest(),
        files=dict(_files(life_cycle, is_still=is_still)),
    )


def _files(life_cycle: LifeCycle[Any], *, is_still: bool) -> Iterator[tuple[str, str]]:
    folder = life_cycle.console_path.parent
    disks = {source.path for source in life_cycle.placement.sources.values()} if is_still else set()
    for name in files_of(life_cycle):
        yield name, _as_it_is(folder / name) if folder / name in disks else ""


def _as_it_is(path: Path) -> str:
    status = path.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
