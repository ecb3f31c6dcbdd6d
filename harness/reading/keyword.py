"""Expressions that choose by name, like pytest's -k: words with ``and``, ``or``, ``not`` and parentheses."""

from __future__ import annotations

import re

from harness.errors import ScenarioError

_TOKEN = re.compile(r"[()]|[^\s()]+")


def matches_keyword(expression: str, text: str) -> bool:
    """Return whether ``text`` matches an expression, like pytest's -k: words, ``and``, ``or``, ``not``, parentheses.

    Raises:
        ScenarioError: the expression cannot be read.
    """
    tokens = _TOKEN.findall(expression)
    try:
        value, rest = _disjunction(tokens, text.lower())
    except IndexError:
        raise ScenarioError(f"-k '{expression}' ends too early") from None
    if rest:
        raise ScenarioError(f"-k '{expression}' cannot be read from '{rest[0]}' on")
    return value


def _disjunction(tokens: list[str], text: str) -> tuple[bool, list[str]]:
    value, rest = _conjunction(tokens, text)
    while rest and rest[0] == "or":
        right, rest = _conjunction(rest[1:], text)
        value = value or right
    return value, rest


def _conjunction(tokens: list[str], text: str) -> tuple[bool, list[str]]:
    value, rest = _negation(tokens, text)
    while rest and rest[0] == "and":
        right, rest = _negation(rest[1:], text)
        value = value and right
    return value, rest


def _negation(tokens: list[str], text: str) -> tuple[bool, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "not":
        value, rest = _negation(rest, text)
        return not value, rest
    if first == "(":
        value, rest = _disjunction(rest, text)
        return value, rest[1:] if rest[0] == ")" else rest
    return first.lower() in text, rest
