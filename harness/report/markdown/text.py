"""Turn plain text and rows into Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

_QUOTED = re.compile(r"(?<!\w)'([^']+)'(?!\w)")
_LITERAL = re.compile(r"``([^`]+)``")
_DROPPED_FROM_ANCHORS = re.compile(r"[^\w\- ]")
_WIDTH = 120


class UndescribedError(Exception):
    """Something that a page tells has no description: a key, an option, a claim."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def code(text: object) -> str:
    """Return text as code, fit for a cell of a table."""
    return f"`{text}`".replace("|", "\\|")


def with_code(text: str) -> str:
    """Return a description with its quoted words and its literals as code, and without line breaks."""
    quoted = _QUOTED.sub(r"`\1`", _LITERAL.sub(r"`\1`", " ".join(text.split())))
    return quoted.replace("|", "\\|")


def paragraphs(text: str) -> list[str]:
    """Return a description as paragraphs with wrapped lines, an empty line after each."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        lines += [*wrapped(with_code(paragraph)), ""]
    return lines


def wrapped(text: str) -> list[str]:
    """Return text in lines that are no longer than a document's."""
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def anchor(heading: str) -> str:
    """Return the anchor that code hosts and the site make for a heading."""
    return _DROPPED_FROM_ANCHORS.sub("", heading.lower()).replace(" ", "-")
