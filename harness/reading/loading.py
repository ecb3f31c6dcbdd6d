"""Scenario files from disk, with every problem of every file told at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import ScenarioError
from harness.reading.document import DocumentError, Position, read_document
from harness.reading.matrix import ExcludedPoint, Expansion, Point
from harness.reading.problem import Problem, quoted
from harness.reading.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.scenario.models import Scenario

SUFFIXES = (".yaml", ".yml")
_HINT = "docs/reference/scenario-keys.md lists every key; `rescue-harness schema` prints the JSON Schema for editors"


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario with the file it came from, its points, and the combinations that it leaves out."""

    path: Path
    scenario: Scenario
    points: tuple[Point, ...]
    excluded: tuple[ExcludedPoint, ...] = ()


@dataclass(frozen=True, order=True)
class _Line:
    """One line for the user, in the form that editors and terminals can jump to."""

    path: Path
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{place}:{self.column}: {self.text}" if self.column else f"{place}: {self.text}"


def load_scenarios(paths: Sequence[Path]) -> list[LoadedScenario]:
    """Load files, and the YAML files of folders and the folders in them, in the order of their names.

    Raises ScenarioError with one line for each problem of all files, sorted by file and line.
    """
    files, lines = _files_of(paths)
    loaded: list[LoadedScenario] = []
    names: dict[str, tuple[Path, int]] = {}
    for path in files:
        result = _load(path)
        scenario, name_line = result.scenario, result.name_line
        lines.extend(result.lines)
        if result.name is not None:
            if result.name in names:
                other_path, other_line = names[result.name]
                text = f"name: {quoted(result.name)} is also the name of the scenario in {other_path}:{other_line}"
                lines.append(_Line(path, name_line, 0, f"{text}; allowed: a name of its own for each scenario"))
            names.setdefault(result.name, (path, name_line))
        if scenario is not None and not result.lines:
            loaded.append(LoadedScenario(path, scenario, result.expansion.points, result.expansion.excluded))
    if lines:
        raise ScenarioError("\n".join(str(line) for line in sorted(lines)), hint=_HINT)
    return loaded


def _files_of(paths: Sequence[Path]) -> tuple[list[Path], list[_Line]]:
    files: dict[Path, Path] = {}
    lines: list[_Line] = []
    for path in paths:
        if _is_folder(path):
            found = sorted(_below(path))
            if not found:
                lines.append(
                    _Line(path, 0, 0, f"no scenario in this folder; allowed: files named *{' or *'.join(SUFFIXES)}")
                )
        else:
            found = [path]
        for file in found:
            files.setdefault(_one_name_of(file), file)
    return list(files.values()), lines


def _one_name_of(path: Path) -> Path:
    """Return the name under which a file given by several paths is loaded once."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in SUFFIXES and path.is_file() and not hidden:
            yield path


@dataclass(frozen=True)
class _Result:
    scenario: Scenario | None
    lines: tuple[_Line, ...]
    name: str | None = None
    name_line: int = 0
    expansion: Expansion = field(default_factory=Expansion)


def _load(path: Path) -> _Result:
    if unfit := _unfit(path):
        return _Result(None, (_Line(path, 0, 0, unfit),))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        found = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        return _Result(None, (_Line(path, line, 0, f"{found}; allowed: text saved as UTF-8"),))
    except FileNotFoundError:
        return _Result(None, (_Line(path, 0, 0, "no such file or folder"),))
    except OSError as error:
        return _Result(None, (_Line(path, 0, 0, f"cannot be read: {error.strerror or error}"),))
    try:
        document = read_document(text)
    except DocumentError as error:
        where = error.position
        return _Result(None, (_Line(path, where.line, where.column or 0, error.reason),))
    validated = validate(document.data)
    broken = {problem.key for problem in document.problems}
    follows = [problem for problem in validated.problems if any(problem.key[: len(key)] == key for key in broken)]
    problems = [*document.problems, *(problem for problem in validated.problems if problem not in follows)]
    lines = tuple(_line(path, document.position(problem.key), problem) for problem in problems)
    name = document.data.get("name") if isinstance(document.data, dict) else None
    return _Result(
        validated.scenario,
        lines,
        name if isinstance(name, str) else None,
        document.position(("name",)).line,
        validated.expansion,
    )


def _unfit(path: Path) -> str | None:
    """Say why a path that exists cannot be a scenario file; None if it can be one."""
    try:
        if not path.exists() or path.is_dir():
            return None
        if not path.is_file():
            return "neither a file nor a folder; allowed: a scenario file"
    except OSError:
        return None
    if path.suffix not in SUFFIXES:
        return f"not the name of a scenario file; allowed: a file named *{' or *'.join(SUFFIXES)}"
    return None


def _line(path: Path, position: Position, problem: Problem) -> _Line:
    return _Line(path, position.line, position.column or 0, str(problem))
