"""Translation of pydantic's errors into a scenario author's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.reading.checks.instance_checks import MACHINES
from harness.reading.keys import ROLES_AT, key_names, model_at, value_at
from harness.reading.problem import Key, Problem, nearest_of, quoted
from harness.scenario.images import IMAGES_AT
from harness.scenario.steps import RESCUE, STEPS, VOLUME_TAG
from harness.scenario.words import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

# The meaning of each pattern in the models, and examples that match it.
PATTERNS: dict[str, tuple[str, tuple[str, ...]]] = {
    r"^[a-z0-9][a-z0-9-]*$": ("lower-case letters, digits and hyphens, beginning with a letter or digit", ()),
    r"^[a-z][a-z0-9_-]*$": ("lower-case letters, digits, hyphens and underscores, beginning with a letter", ()),
    r"^(vd|sd|hd)[a-z]+$": ("vd, sd or hd and one or more letters, such as vdb", ()),
    r"^(pc|q35|pc-i440fx-[0-9.]+|pc-q35-[0-9.]+)$": (MACHINES, ("pc", "q35")),
    r"\S": ("some words", ()),
}
_TYPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_ALMOST_A_SIZE = re.compile(r"(\d+) ?([kmg])i?b?", re.IGNORECASE)


def problems_of(errors: Sequence[ErrorDetails], data: Any) -> list[Problem]:
    """Return one problem for each error, without errors that only follow from another.

    ``data`` is the validated data, as in the file.
    """
    with_keys = [(written_key(error["loc"], data), error) for error in errors]
    problems = []
    for key, error in with_keys:
        inside = any(len(other) > len(key) and other[: len(key)] == key for other, _ in with_keys)
        if error["type"] != "too_short" or not inside:
            problems.append(_problem(key, error, _role_in(error["loc"])))
    return problems


def written_key(location: Sequence[str | int], data: Any) -> Key:
    """Return the file's key for an error's location.

    The key leaves out the role of a disk and the kind of an image or a step, and has a short ``expect`` as written.
    """
    key = tuple(location)
    if key[:2] in IMAGES_AT:
        return key[:2] + key[3:]
    if key[:2] == ROLES_AT and len(key) > 3:
        key = key[:3] + key[4:]
    if key[:1] == ("steps",) and len(key) > 2:
        key = key[:2] + key[3:]
        if key[2:4] == (RESCUE, "image"):
            key = key[:4] + key[5:]
    if key[:1] == ("expect",) and not isinstance(value_at(data, "expect"), list):
        return key[:1] if isinstance(value_at(data, "expect"), str) else key[:1] + key[2:]
    return key


def _role_in(location: Sequence[str | int]) -> str | None:
    """Return the role of the disk that an error is about, None if the error is about no disk."""
    if location[:1] == ("steps",):
        return str(Role.VOLUME) if location[2:4] == (VOLUME_TAG, "attach") else None
    return str(location[3]) if tuple(location[:2]) == ROLES_AT and len(location) > 3 else None


def _problem(key: Key, error: ErrorDetails, role: str | None) -> Problem:  # noqa: PLR0911, PLR0912 - one line for each kind
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return _unknown_key(key, role)
        case "missing":
            return Problem(key[:-1], f'the key "{key[-1]}" is missing')
        case "enum" | "literal_error":
            words = re.findall(r"'([^']+)'", str(context["expected"]))
            return Problem(key, f"found {quoted(found)}", ", ".join(words), nearest_of(found, words))
        case "union_tag_invalid" | "union_tag_not_found" if key[:1] == ("steps",):
            return _step_problem(key, found, context.get("tag"))
        case "union_tag_invalid":
            nearest = nearest_of(context["tag"], Role)
            return Problem((*key, "role"), f"found {quoted(context['tag'])}", ", ".join(Role), nearest)
        case "union_tag_not_found":
            misspelt = nearest_of("role", found) if isinstance(found, Mapping) else None
            if misspelt is not None:
                return Problem((*key, misspelt), f'unknown key "{misspelt}"', nearest="role")
            return Problem(key, 'the key "role" is missing', ", ".join(Role))
        case "string_pattern_mismatch":
            return _pattern_problem(key, found, str(context["pattern"]))
        case "string_too_long" | "too_long":
            found = quoted(found) if kind == "string_too_long" else f"{context['actual_length']} entries"
            what = "characters" if kind == "string_too_long" else "entries"
            return Problem(key, f"found {found}", f"at most {context['max_length']} {what}")
        case "string_too_short":
            return Problem(key, "found empty text", "text")
        case "too_short":
            return Problem(key, f"found {quoted(found)} without entries", "at least one entry")
        case "greater_than_equal":
            return Problem(key, f"found {quoted(found)}", f"a number from {context['ge']} on")
        case "greater_than":
            return Problem(key, f"found {quoted(found)}", "a size above 0")
        case "less_than_equal":
            return Problem(key, f"found {quoted(found)}", "a size of 16 TiB at most")
        case "multiple_of":
            return Problem(key, f"found {quoted(found)}", f"a multiple of {context['multiple_of']} bytes")
        case "value_error":
            return _value_problem(key, found, str(context["error"]))
        case _ if kind in _TYPES:
            return _type_problem(key, found, _TYPES[kind])
    return Problem(key, f"found {quoted(found)}: {error['msg']}")


def _step_problem(key: Key, found: Any, word: str | None) -> Problem:
    shown = found if word is None or isinstance(found, str) else word
    return Problem(key, f"found {quoted(shown)}", f"a step: {', '.join(STEPS)}", nearest_of(word, STEPS))


def _unknown_key(key: Key, role: str | None) -> Problem:
    if key[:1] == ("steps",) and len(key) == 3:
        return Problem(key, f'"{key[-1]}" beside another word in one step', "one step in each entry of the list")
    if key[:1] == ("steps",) and role is None and key[2] != RESCUE:
        return Problem(key, f'unknown key "{key[-1]}"', "nic", nearest_of(key[-1], ["nic"]))
    model = model_at(key[:-1], role)
    if model is None and key[:1] == ("expect",):  # one expectation may be written without a list
        model = model_at(("expect", 0, *key[1:-1]))
    names = key_names(model) if model is not None else []
    where = f" of a {role} disk" if role is not None else ""
    allowed = ", ".join(names) + where if names else None
    return Problem(key, f'unknown key "{key[-1]}"', allowed, nearest_of(key[-1], names))


def _pattern_problem(key: Key, found: Any, pattern: str) -> Problem:
    words, examples = PATTERNS.get(pattern, (f"text that matches {pattern}", ()))
    return Problem(key, f"found {quoted(found)}", words, nearest_of(found, examples) or _respelt(found, pattern))


def _respelt(found: Any, pattern: str) -> str | None:
    candidate = re.sub(r"[\s_.]+", "-", str(found).strip()).lower()
    return candidate if candidate != found and re.fullmatch(pattern, candidate) else None


def _value_problem(key: Key, found: Any, reason: str) -> Problem:
    if not isinstance(found, str):
        return Problem(key, reason)
    almost = _ALMOST_A_SIZE.fullmatch(found.strip())
    nearest = f"{almost[1]} {almost[2].upper()}iB" if almost else None
    return Problem(key, f"found {quoted(found)}", reason.removeprefix("a size is "), nearest)


def _type_problem(key: Key, found: Any, wanted: str) -> Problem:
    plain = isinstance(found, str | int | float) and not isinstance(found, bool)
    if wanted == "text" and plain:
        wanted = f'text, in quotes: "{found}"'
    elif wanted == "a list" and plain:
        wanted = f"a list, such as [{found}]"
    return Problem(key, f"found {quoted(found)}", wanted)
