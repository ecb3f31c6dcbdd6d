"""The pages of docs/reference/ that come from the code: none is stale, and nothing on them lacks a description."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from harness.commands.exit_codes import EXIT_CODES, exit_code_sentence, exit_codes_of
from harness.commands.reference_pages import PAGES, write_pages
from harness.report.markdown.claim_list_page import claim_list_page
from harness.report.markdown.commands_page import commands_page
from harness.report.markdown.exit_codes_page import exit_codes_page
from harness.report.markdown.keys import KeyTables
from harness.report.markdown.text import UndescribedError, anchor, with_code
from harness.scenario.words import ClaimName
from harness.verdict.claim_descriptions import CLAIM_DESCRIPTIONS

FOLDER = Path(__file__).parents[4] / "docs" / "reference"
TEXT = {"type": "string", "description": "a word"}


def schema(**properties: object) -> dict[str, object]:
    return {"description": "A thing.", "type": "object", "properties": properties, "$defs": DEFINITIONS}


DEFINITIONS: dict[str, object] = {
    "Level": {"enum": ["plan", "guest"], "type": "string"},
    "Part": {"description": "A part.", "type": "object", "properties": {"a": TEXT}},
    "Cat": {"description": "A cat.", "properties": {"kind": {"const": "cat"}, "name": TEXT}},
    "Dog": {"description": "A dog.", "properties": {"kind": {"const": "dog"}, "name": TEXT, "loud": TEXT}},
}


def told(*, has_defaults: bool = True, **properties: object) -> str:
    return KeyTables(schema(**properties), "Thing", links={}, has_defaults=has_defaults).markdown()


def test_no_page_is_stale(tmp_path: Path) -> None:
    write_pages(tmp_path)
    stale = [name for name in PAGES if (FOLDER / name).read_text() != (tmp_path / name).read_text()]
    assert stale == [], "write them anew: make tables"


@pytest.mark.parametrize("name", PAGES)
def test_links_to_headings_of_the_same_page_lead_somewhere(name: str) -> None:
    lines = (FOLDER / name).read_text().splitlines()
    anchors = {anchor(line.lstrip("# ")) for line in lines if line.startswith("#")}
    linked = {link.split(")")[0] for line in lines for link in line.split("](#")[1:]}
    assert linked <= anchors


def test_a_key_without_a_description_fails() -> None:
    with pytest.raises(UndescribedError, match=r"parts\.a has no description"):
        KeyTables(
            {
                **schema(parts={"$ref": "#/$defs/Part", "description": "the parts"}),
                "$defs": {"Part": {"description": "A part.", "properties": {"a": {"type": "string"}}}},
            },
            "Thing",
            links={},
            has_defaults=True,
        ).markdown()


def test_a_description_that_only_tells_the_default_is_none() -> None:
    with pytest.raises(UndescribedError):
        told(size={"type": "integer", "description": "default: 16"})


@pytest.mark.parametrize(
    ("value", "row"),
    [
        pytest.param({**TEXT, "default": "x"}, "| text | `x` | a word |", id="default-of-the-schema"),
        pytest.param(
            {**TEXT, "default": None, "description": "a word; default: 'x', else y"},
            "| text | `x`, else y | a word |",
            id="default-told",
        ),
        pytest.param({**TEXT, "default": "2.0"}, '| text | `"2.0"` | a word |', id="text-like-a-number"),
        pytest.param({**TEXT, "examples": ["x"]}, "| text such as `x` | none | a word |", id="examples"),
        pytest.param(
            {"$ref": "#/$defs/Level", "description": "how deep"}, "| `plan`, `guest` | none | how deep |", id="words"
        ),
        pytest.param(
            {"type": "array", "items": {"$ref": "#/$defs/Part"}, "description": "parts"},
            "| list of [mappings](#key) | none | parts |",
            id="list-of-mappings",
        ),
        pytest.param({**TEXT, "description": "'a|b' is it's"}, "| text | none | `a\\|b` is it's |", id="pipe"),
    ],
)
def test_a_key_is_a_row(value: dict[str, object], row: str) -> None:
    assert f"| `key` {row}" in told(key=value)


def test_null_is_told_of_what_is_read_back_only() -> None:
    value = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "description": "a word"}
    assert "| `key` | text or `null` | a word |" in told(has_defaults=False, key=value)
    assert "| `key` | text | none | a word |" in told(key=value)


def test_a_key_that_several_kinds_have_is_told_once() -> None:
    kinds = {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"}
    union = {
        "oneOf": [{"$ref": reference} for reference in kinds.values()],
        "discriminator": {"propertyName": "kind", "mapping": kinds},
    }
    page = told(pets={"type": "array", "items": union, "description": "the pets"})
    assert "| `name` | `cat`, `dog` | text | none | a word |" in page
    assert "| `loud` | `dog` | text | none | a word |" in page
    assert "| `cat` | A cat. |" in page


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(click.Command("bare"), id="command"),
        pytest.param(click.Command("bare", help="Do it.", params=[click.Option(["--much"])]), id="option"),
    ],
)
def test_a_command_or_an_option_without_help_fails(command: click.Command) -> None:
    with pytest.raises(UndescribedError, match="bare has no help"):
        commands_page(click.Group(commands={"bare": command}), "tool", lambda _name: [0])


def test_a_default_told_in_the_help_is_the_options_default() -> None:
    option = click.Option(["-n", "--number"], type=int, metavar="N", help="How many. Default: one for each core.")
    page = commands_page(click.Group(commands={"do": click.Command("do", help="Do it.", params=[option])}), "tool", _ok)
    assert "| `-n, --number N` | one for each core | How many. |" in page
    assert "tool do [OPTIONS]" in page


def _ok(_name: str) -> list[int]:
    return [0]


def test_a_claim_without_a_description_fails() -> None:
    with pytest.raises(UndescribedError, match="data"):
        claim_list_page({claim: each for claim, each in CLAIM_DESCRIPTIONS.items() if claim is not ClaimName.DATA})


def test_only_commands_with_meanings_of_their_own_have_a_row() -> None:
    page = exit_codes_page({0: "good", 1: "bad"}, {"own": {0: "fine", 1: "bad"}, "plain": {0: "good"}})
    assert "| [`own`](commands.md#own) | fine |  |" in page
    assert "plain" not in page


def test_a_command_without_an_outcome_has_no_code_for_one() -> None:
    assert [each.code for each in exit_codes_of("clean")] == [0, 2, 3, 130]
    assert [each.code for each in exit_codes_of("run")] == [each.code for each in EXIT_CODES]
    assert "1 a case ended otherwise;" in exit_code_sentence("run")


def test_words_in_quotes_become_code_and_apostrophes_stay() -> None:
    assert with_code("the key's 'a: b' of\n``c``") == "the key's `a: b` of `c`"
