"""The things that the cases of one run share: images, hypervisor, key, media server, results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from harness.errors import HostError
from harness.guest.keys import make_run_key
from harness.hypervisor.canary import NO_ACCELERATOR, find_accelerator
from harness.hypervisor.host import find_emulator, open_hypervisor
from harness.hypervisor.roots import clean_all
from harness.image import obtain_images
from harness.image.debian import DebianSet, obtain_debian
from harness.implementation.reference.implementation import Reference
from harness.implementation.registry import Implementations
from harness.instance.media_server import media_server
from harness.instance.resources import Resources
from harness.result.folders import RunFolder, utc_now
from harness.result.run_path import make_run_path, run_name
from harness.scenario.words import Level

CONTROL_BOOTS = 3


@dataclass(frozen=True)
class Session(Resources):
    """One run's resources and results. ``control_boots``: the number of control boots per state for a doubtful name."""

    folder: RunFolder
    control_boots: int = CONTROL_BOOTS


def say_nothing(message: str) -> None:
    """Show no progress."""
    del message


def _once(obtain: Callable[[], DebianSet]) -> Callable[[], DebianSet]:
    """Wrap a function so that every case gets the same answer, in any thread: the images, or the error."""
    lock, answers = Lock(), list[DebianSet | HostError]()

    def ask() -> DebianSet:
        with lock:
            if not answers:
                try:
                    answers.append(obtain())
                except HostError as error:
                    answers.append(error)
            (answer,) = answers
        if isinstance(answer, HostError):
            raise answer
        return answer

    return ask


@contextmanager
def open_session(
    results: Path,
    *,
    progress: Callable[[str], None] = say_nothing,
    boot_timeout_s: float | None = None,
    control_boots: int = CONTROL_BOOTS,
    level: Level = Level.GUEST,
    name: str | None = None,
    implementations: Implementations | None = None,
) -> Iterator[Session]:
    """Provide everything that a run with the deepest level ``level`` needs, and release it at the end.

    ``implementations`` are those under test, by default the reference; the caller holds them open. ``name`` is the name
    of the run's folder below ``results``, for processes that share one folder; by default the run gets a new folder.

    Raises:
        HostError: images cannot be built, or QEMU or libvirt does not work.
    """
    images = None if level is Level.PLAN else obtain_images(progress)
    accelerator = NO_ACCELERATOR
    if images is not None and level is Level.GUEST:
        progress("looking for the accelerator")
        accelerator = find_accelerator(images, find_emulator())
    with ExitStack() as stack:
        hypervisor = stack.enter_context(open_hypervisor(accelerator, images, boot_timeout_s=boot_timeout_s))
        for leftovers in (hypervisor.root.cleaned, *(found for _, found in clean_all())):
            if leftovers:
                progress(f"removed what an earlier run left: {leftovers}")
        media = None if images is None else stack.enter_context(media_server(images))
        path = make_run_path(results / (name or run_name()))
        folder = RunFolder(path, utc_now(), hypervisor.accelerator.reason, hypervisor.versions)
        yield Session(
            images=images,
            hypervisor=hypervisor,
            key=make_run_key(),
            media=media,
            folder=folder,
            debian=_once(lambda: obtain_debian(progress)),
            implementations=Implementations(Reference()) if implementations is None else implementations,
            control_boots=control_boots,
        )
