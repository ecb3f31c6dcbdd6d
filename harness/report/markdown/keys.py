"""Tell the keys of a JSON Schema in tables: a section for each mapping, a row for each key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.markdown.text import UndescribedError, anchor, code, paragraphs, table, with_code

Schema = Mapping[str, Any]

_DEFINITIONS = "#/$defs/"
_DEFAULT = re.compile(r"(?:^|[;,] )default: (?P<default>.+)$", re.DOTALL)
_KINDS = {
    None: "any",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true`, `false`",
    "object": "mapping",
    "array": "list",
    "null": "`null`",
}
CLAIMS = {"ClaimName": "[claim](claims.md)"}
"""What stands for the names of the claims, which have a page of their own."""


@dataclass(frozen=True)
class Section:
    """What stands at a path of the document: one mapping, or alternatives of which each entry is one.

    ``by`` is the key whose value tells the alternatives apart; None if the alternatives have different keys.
    """

    heading: str
    path: str
    alternatives: tuple[Schema, ...]
    by: str | None = None


class KeyTables:
    """The tables of one schema."""

    def __init__(self, schema: Schema, heading: str, *, links: Mapping[str, str], has_defaults: bool) -> None:
        """Find the sections of a schema.

        Args:
            schema: the schema with its definitions.
            heading: what stands above the keys of the whole document.
            links: what stands in a cell for a definition that is told elsewhere, by the definition's name.
            has_defaults: whether the tables have a column for what is in force without the key.
        """
        self._definitions: Mapping[str, Schema] = schema.get("$defs", {})
        self._told_elsewhere = links
        self._anchors: dict[str, str] = {}
        self._has_defaults = has_defaults
        self._entry_anchors: dict[int, str] = {}
        self._sections = [Section(heading, "", (schema,)), *self._below(schema, "")]

    def markdown(self) -> str:
        """Return all sections, each with its heading.

        Raises:
            UndescribedError: a key has no description.
        """
        return "\n".join(line for section in self._sections for line in self._told(section))

    def _below(self, definition: Schema, path: str) -> Iterator[Section]:
        for key, value in definition.get("properties", {}).items():
            yield from self._at(value, f"{path}.{key}" if path else key)

    def _at(self, value: Schema, path: str) -> Iterator[Section]:
        """Find the sections for what a key holds: what has a section or a link already gets no other."""
        heading = code(path)
        names = [name for name in _names_in(value) if "properties" in self._definitions[name]]
        new = [name for name in names if name not in self._anchors and name not in self._told_elsewhere]
        self._anchors |= dict.fromkeys(new, anchor(heading))
        if len(names) > 1:
            union = _union_of(value)
            discriminator = union.get("discriminator")
            by = None if discriminator is None else discriminator["propertyName"]
            if by is None:
                self._entry_anchors[id(union)] = anchor(heading)
            yield Section(heading, path, tuple(self._resolved(each) for each in union["oneOf"]), by)
        elif new:
            yield Section(heading, path, (self._definitions[new[0]],))
        for name in new:
            yield from self._below(self._definitions[name], path)

    def _told(self, section: Section) -> list[str]:
        lines = [f"{'###' if section.path else '##'} {section.heading}", ""]
        if len(section.alternatives) == 1:
            (only,) = section.alternatives
            rows = [self._row(section, only, key, value) for key, value in only["properties"].items()]
            return [*lines, *paragraphs(only["description"]), *table(self._heads(), rows), ""]
        if section.by is None:
            return [*lines, *table(["entry", "values", "meaning"], self._entries(section)), ""]
        return [*lines, *self._kinds(section, section.by), ""]

    def _entries(self, section: Section) -> Iterator[list[str]]:
        for each in section.alternatives:
            if "const" in each:
                yield [code(each["const"]), "", _meaning(each, section, each["const"])]
            for key, value in each.get("properties", {}).items():
                yield [f"{code(key)}:", self._values(value), _meaning(value, section, key)]

    def _kinds(self, section: Section, by: str) -> list[str]:
        """Tell the kinds, then each key once with the kinds that have it."""
        kinds = {code(each["properties"][by]["const"]): each for each in section.alternatives}
        rows: dict[tuple[str, ...], list[str]] = {}
        for kind, each in kinds.items():
            for key, value in each["properties"].items():
                if key != by:
                    rows.setdefault(tuple(self._row(section, each, key, value)), []).append(kind)
        merged = [[key, ", ".join(of), *rest] for (key, *rest), of in sorted(rows.items(), key=_by_first_use(rows))]
        key, *others = self._heads()
        return [
            *table([code(by), "meaning"], [[kind, with_code(each["description"])] for kind, each in kinds.items()]),
            "",
            *table([key, code(by), *others], merged),
        ]

    def _heads(self) -> list[str]:
        return ["key", "values", *(["default"] if self._has_defaults else []), "meaning"]

    def _row(self, section: Section, definition: Schema, key: str, value: Schema) -> list[str]:
        default = "required" if key in definition.get("required", ()) else _default(value)
        meaning = _meaning(value, section, key)
        return [code(key), self._values(value), *([default] if self._has_defaults else []), meaning]

    def _values(self, value: Schema, *, are_many: bool = False) -> str:
        """Say in a cell which values a key may have."""
        parts = value.get("anyOf", value.get("oneOf"))
        if "$ref" in value:
            return self._link(_name(value), are_many=are_many) or self._values(self._definitions[_name(value)])
        if parts is None and "items" in value:
            return f"list of {self._values(value['items'], are_many=True)}"
        if parts is None:
            return _words(value)
        if id(value) in self._entry_anchors:
            return f"[entries](#{self._entry_anchors[id(value)]})"
        # In a scenario file a key that is null is a key that is left out.
        told = [part for part in parts if part.get("type") != "null" or not self._has_defaults]
        each = [self._values(_with_examples(part, value), are_many=are_many) for part in told]
        return " or ".join(dict.fromkeys(each))

    def _link(self, name: str, *, are_many: bool) -> str | None:
        """Return the link to where a definition is told; None if it has no place of its own."""
        if name in self._told_elsewhere or name not in self._anchors:
            return self._told_elsewhere.get(name)
        return f"[mapping{'s' if are_many else ''}](#{self._anchors[name]})"

    def _resolved(self, value: Schema) -> Schema:
        return self._definitions[_name(value)] if "$ref" in value else value


def _names_in(value: Schema) -> list[str]:
    """Name the definitions that a value is made of, each once."""
    if "$ref" in value:
        return [_name(value)]
    parts: Sequence[Schema] = [*value.get("anyOf", ()), *value.get("oneOf", ())]
    parts = [*parts, *(value[key] for key in ("items", "additionalProperties") if isinstance(value.get(key), dict))]
    return list(dict.fromkeys(name for part in parts for name in _names_in(part)))


def _union_of(value: Schema) -> Schema:
    union: Schema = value.get("items", value)
    return union


def _name(value: Schema) -> str:
    reference: str = value["$ref"]
    return reference.removeprefix(_DEFINITIONS)


def _words(value: Schema) -> str:
    """Name the words that a key may have, or the kind of its values."""
    if "const" in value or "enum" in value:
        return ", ".join(code(_word(each)) for each in value.get("enum", [value.get("const")]))
    text = _KINDS[value.get("type")]
    examples = value.get("examples", ())
    return f"{text} such as {', '.join(map(code, examples))}" if examples else text


def _meaning(value: Schema, section: Section, key: str) -> str:
    """Return what a key means, without its default.

    Raises:
        UndescribedError: nothing says so.
    """
    text = _DEFAULT.sub("", value.get("description", ""))
    if not text:
        at = f"{section.path}.{key}" if section.path else key
        raise UndescribedError(f"{at} has no description: give its field one")
    return with_code(text)


def _default(value: Schema) -> str:
    """Return what is in force without the key, by the description if it ends in that."""
    told = _DEFAULT.search(value.get("description", ""))
    if told is not None:
        return with_code(told["default"])
    default = value.get("default")
    return "none" if default in (None, [], {}) or isinstance(default, dict) else code(_word(default))


def _word(value: object) -> str:
    """Return a value as YAML has it: text that reads like a number is in quotes."""
    is_plain = isinstance(value, str) and not value.replace(".", "").isdigit()
    return str(value) if is_plain else json.dumps(value)


def _with_examples(part: Schema, union: Schema) -> Schema:
    """Return a part of a union with the union's examples, if it is the part that they are of."""
    is_text = part.get("type") == "string" and "examples" not in part
    return {**part, "examples": union["examples"]} if is_text and "examples" in union else part


def _by_first_use(rows: Mapping[tuple[str, ...], list[str]]) -> Any:
    """Order rows by the first use of their key, so that a key that means two things has both side by side."""
    keys = [row[0] for row in rows]
    return lambda item: keys.index(item[0][0])
