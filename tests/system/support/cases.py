"""One case with an implementation of a test's own."""

from __future__ import annotations

from pathlib import Path

from harness.implementation.protocol import Implementation
from harness.reading.cases import Case, collect_cases
from harness.run.session import Session
from harness.scenario.words import Level


def case_with(implementation: Implementation, path: Path, session: Session, *, level: Level = Level.GUEST) -> Case:
    """Collect the one case of a file, and let the session know its implementation."""
    session.implementations.add(implementation)
    (case,) = collect_cases([path], implementation, level=level)
    return case
