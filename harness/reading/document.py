"""A YAML file as plain data, with the line of every key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from harness.reading.problem import Key, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_VALUES = 100_000
_TAG = "tag:yaml.org,2002:"
_NAN_OR_INFINITY = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)


@dataclass(frozen=True)
class Position:
    """A place in a file; both count from 1."""

    line: int
    column: int | None = None


@dataclass(frozen=True)
class Document:
    """Mappings, lists and scalars as written, and the position at which each begins."""

    data: Any
    positions: dict[Key, Position]
    problems: tuple[Problem, ...] = ()

    def position(self, key: Key) -> Position:
        """Return the position of a key, or of the nearest enclosing key that the file has."""
        while key and key not in self.positions:
            key = key[:-1]
        return self.positions.get(key, Position(1))


class DocumentError(Exception):
    """The text is not YAML; ``position`` and ``reason`` say where and why."""

    def __init__(self, position: Position, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


def read_document(text: str) -> Document:
    """Read one YAML 1.2 document.

    Anchors, aliases and merge keys are followed. Tags, duplicate keys and aliases of themselves are problems.

    Raises DocumentError if the text is not YAML at all.
    """
    try:
        root = YAML(typ="rt", pure=True).compose(text)
        if root is None:
            return Document(None, {})
        reader = _Reader()
        data = reader.value_of(root, ())
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        reason = f"character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise DocumentError(Position(line, column), reason) from error
    except MarkedYAMLError as error:
        raise DocumentError(*_explained(error)) from error
    except YAMLError as error:
        raise DocumentError(Position(1, 1), " ".join(str(error).split())) from error
    except RecursionError as error:
        raise DocumentError(Position(1, 1), "nested too deeply to be a scenario") from error
    return Document(data, reader.positions, tuple(reader.problems))


def _explained(error: MarkedYAMLError) -> tuple[Position, str]:
    mark = error.problem_mark or error.context_mark
    position = Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)
    problem = str(error.problem or error.context)
    if r"'\t'" in problem:
        return position, "a tab where YAML wants spaces; indent with spaces, and put a space after a colon"
    if "another document" in problem:
        return position, "a second document begins here ('---'); a file holds one scenario"
    if "mapping values are not allowed" in problem:
        return position, "a ':' that begins no mapping here; check the indentation, and quote text that contains ': '"
    reason = f"not YAML: {problem}"
    return position, reason if error.context is None else f"{reason}, {error.context}"


@dataclass
class _Reader:
    positions: dict[Key, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _ancestors: list[int] = field(default_factory=list)
    _values: int = 0

    def value_of(self, node: Node, key: Key) -> Any:
        self._values += 1
        if self._values > _MOST_VALUES:
            reason = f"aliases make this more than {_MOST_VALUES:,} values"
            raise DocumentError(_start(node), reason)
        self.positions.setdefault(key, _start(node))
        if id(node) in self._ancestors:
            self.problems.append(Problem(key, "an alias of something that contains it"))
            return None
        self._ancestors.append(id(node))
        try:
            return self._value_of(node, key)
        finally:
            self._ancestors.pop()

    def _value_of(self, node: Node, key: Key) -> Any:
        tag = str(node.tag)
        match node:
            case MappingNode() if tag == f"{_TAG}map":
                return self._mapping(node, key)
            case SequenceNode() if tag == f"{_TAG}seq":
                return [self.value_of(item, (*key, index)) for index, item in enumerate(node.value)]
            case ScalarNode() if (kind := tag.removeprefix(_TAG)) in _SCALARS:
                return self._scalar(node, kind, key)
        self.problems.append(Problem(key, f"the tag {tag.replace(_TAG, '!!')}", "plain YAML, without tags"))
        return None

    def _mapping(self, node: MappingNode, key: Key) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for name, name_node, value_node in self._entries(node, key):
            line = _start(name_node).line
            if name in lines:
                self.problems.append(Problem((*key, name), f'the key "{name}" is already in line {lines[name]}'))
                self.positions[*key, name] = _start(name_node)
                continue
            lines[name] = line
            self.positions[*key, name] = _start(name_node)
            mapping[name] = self.value_of(value_node, (*key, name))
        for source in self._merged(node, key):
            merged = self.value_of(source, (*key, "<<"))
            if not isinstance(merged, dict):
                self.problems.append(Problem((*key, "<<"), "a merge of something that is no mapping"))
                continue
            for name, value in merged.items():
                if name not in mapping:
                    mapping[name] = value
                    self._move_positions((*key, "<<", name), (*key, name))
        return mapping

    def _entries(self, node: MappingNode, key: Key) -> Iterator[tuple[str, Node, Node]]:
        for name_node, value_node in node.value:
            if not isinstance(name_node, ScalarNode):
                self.problems.append(Problem(key, "a list or a mapping as a key", "words as keys"))
            elif str(name_node.tag) != f"{_TAG}merge":
                yield name_node.value, name_node, value_node

    def _merged(self, node: MappingNode, key: Key) -> Iterator[Node]:
        for name_node, value_node in node.value:
            if str(name_node.tag) == f"{_TAG}merge":
                self.positions[*key, "<<"] = _start(name_node)
                yield from value_node.value if isinstance(value_node, SequenceNode) else [value_node]

    def _move_positions(self, old: Key, new: Key) -> None:
        for key in [key for key in self.positions if key[: len(old)] == old]:
            self.positions[new + key[len(old) :]] = self.positions[key]

    def _scalar(self, node: ScalarNode, kind: str, key: Key) -> Any:
        text: str = node.value
        try:
            return _SCALARS[kind](text)
        except ValueError:
            self.problems.append(Problem(key, f'"{text}" is no {kind}'))
            return None


def _start(node: Node) -> Position:
    return Position(node.start_mark.line + 1)


def _integer(text: str) -> int:
    return int(text.replace("_", ""), 0 if re.match(r"[-+]?0[xob]", text) else 10)


def _number(text: str) -> float:
    return float(text.replace(".", "", 1) if _NAN_OR_INFINITY.fullmatch(text) else text.replace("_", ""))


_SCALARS: dict[str, Any] = {
    "str": str,
    "int": _integer,
    "float": _number,
    "bool": lambda text: text.lower() in {"true", "yes", "on"},
    "null": lambda _text: None,
    "timestamp": str,
}
