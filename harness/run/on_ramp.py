"""The one on-ramp: the work of every entrance between the user's options and the first case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.implementation.protocol import Implementation
from harness.implementation.registry import implementations_of, opened, require_level
from harness.reading.cases import Case
from harness.run.pool import CasePool, Observer, Unobserved, default_jobs, obtain_needed_images
from harness.run.session import CONTROL_BOOTS, Session, open_session, say_nothing
from harness.scenario.words import Level


@dataclass(frozen=True)
class RunOptions:
    """The options of a run: the results folder, the deepest level, and choices that None leaves to the host.

    ``name`` is the name of the run's folder below ``results``, for processes that share one folder.
    """

    results: Path
    level: Level = Level.GUEST
    boot_timeout_s: float | None = None
    control_boots: int = CONTROL_BOOTS
    jobs: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class OpenRun:
    """A run whose session is open: cases can be run one by one, or in a pool."""

    session: Session
    options: RunOptions

    def jobs(self, cases: Sequence[Case]) -> int:
        """Return how many of the cases are run at once."""
        return self.options.jobs or default_jobs(cases)

    def obtain_images(self, cases: Sequence[Case]) -> None:
        """Have the Debian images built before the first case, if one needs them."""
        obtain_needed_images(cases, self.session)

    @contextmanager
    def pool(
        self,
        cases: Sequence[Case],
        observer: Observer | None = None,
        *,
        jobs: int | None = None,
        ahead: int | None = None,
    ) -> Iterator[CasePool]:
        """Run the cases side by side, as many at once as ``jobs`` or else the run's options say; see CasePool."""
        self.obtain_images(cases)
        observer = Unobserved() if observer is None else observer
        with CasePool(cases, self.session, observer, jobs=jobs or self.jobs(cases), ahead=ahead) as pool:
            yield pool


def implementations_at(names: Sequence[str], level: Level) -> list[Implementation]:
    """Return the implementations of some names, and check that each has the level; without names, the reference.

    Raises:
        ScenarioError: no implementation has one of the names, or an implementation does not have the level.
    """
    implementations = implementations_of(names)
    require_level(implementations, level)
    return implementations


@contextmanager
def open_run(
    options: RunOptions,
    implementations: Sequence[Implementation] = (),
    *,
    progress: Callable[[str], None] = say_nothing,
) -> Iterator[OpenRun]:
    """Open the implementations, by default the reference, and a session; release both at the end.

    Raises:
        HostError: images cannot be built, or an implementation, QEMU or libvirt does not work.
    """
    with (
        opened(implementations or implementations_of(())) as held,
        open_session(
            options.results,
            progress=progress,
            boot_timeout_s=options.boot_timeout_s,
            control_boots=options.control_boots,
            level=options.level,
            name=options.name,
            implementations=held,
        ) as session,
    ):
        yield OpenRun(session, options)
