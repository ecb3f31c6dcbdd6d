"""Make cases from paths: load files, expand matrices, select cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import Self

from harness.errors import HostError, ScenarioError
from harness.frozen import Frozen
from harness.guest.login import read_private_key
from harness.image.user_file import inspected
from harness.implementation.protocol import Implementation
from harness.reading.loading import LoadedScenario, load_scenarios
from harness.reading.matrix import Point
from harness.scenario.images import UserImage
from harness.scenario.words import Level

SHIPPED_SUITE = Path(__file__).parents[1] / "suite"


class Case(Frozen):
    """One scenario at one matrix point with one implementation at one level, as plain data.

    ``id`` is unique within a run, ``implementation`` is the implementation's name. A case can be kept in a file and
    sent to another machine.
    """

    id: str
    file: Path
    point: Point
    implementation: str
    repetition: int = 1
    level: Level = Level.GUEST

    def to_json(self) -> str:
        """Return the case as JSON, without the keys that its scenario leaves to their defaults."""
        return self.model_dump_json(by_alias=True, exclude_unset=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the case that ``to_json`` wrote.

        Raises:
            ValidationError: the text is not a case.
        """
        return cls.model_validate_json(text)


def collect_cases(
    paths: Sequence[Path],
    implementation: Implementation,
    *,
    repeat: int = 1,
    level: Level = Level.GUEST,
    left_out: Callable[[Case, HostError], None] = lambda _case, _why: None,
) -> list[Case]:
    """Return all cases below ``paths``.

    Each case is at ``level``, or at the nearest level that its scenario has. ``left_out`` is called for each case of an
    optional scenario that this host cannot run.

    Raises:
        ScenarioError: a file is wrong.
    """
    found = []
    for scenario in load_scenarios(paths):
        for case in cases_of(scenario, implementation, repeat=repeat, level=level):
            instance = case.point.scenario.instance
            missing = implementation.lacks(instance, case.level) if scenario.scenario.optional else None
            if missing is None:
                found.append(case)
            else:
                left_out(case, missing)
    return found


def cases_of(
    loaded: LoadedScenario, implementation: Implementation, *, repeat: int = 1, level: Level = Level.GUEST
) -> list[Case]:
    """Return the cases of one file; the id names the implementation unless that is the harness's own.

    Raises:
        ScenarioError: a user's image cannot be used, and a case is at a level that opens the image.
    """
    suffix = f"@{implementation.name}" if implementation.is_foreign else ""
    cases = [
        Case(
            id=f"{point.id}{suffix}" if repeat == 1 else f"{point.id}#{repetition}{suffix}",
            file=loaded.path,
            point=point,
            implementation=implementation.name,
            repetition=repetition,
            level=point.scenario.level_within(level),
        )
        for point in loaded.points
        for repetition in range(1, repeat + 1)
    ]
    _require_user_images(cases)
    return cases


def _require_user_images(cases: Sequence[Case]) -> None:
    """Check every user's image once before anything starts, because all cases that name an image share it."""
    named = {
        (case.file.parent / path, look): case.file
        for case in cases
        if case.level is not Level.PLAN
        for image in case.point.scenario.images
        if isinstance(image, UserImage)
        for path, look in ((image.file, inspected), (image.key, read_private_key))
        if path is not None
    }
    troubles = []
    for (path, look), file in named.items():
        try:
            look(path)
        except HostError as error:
            troubles.append((f"{file}: {error.message}", error.hint))
    if troubles:
        raise ScenarioError("\n".join(told for told, _ in troubles), hint=troubles[0][1])


def deepest_level(cases: Iterable[Case]) -> Level:
    """Return the deepest level among the cases, which a run of them must have."""
    return reduce(Level.or_deeper, (case.level for case in cases), Level.PLAN)
