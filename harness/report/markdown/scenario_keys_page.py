"""``docs/reference/scenario-keys.md``: every key of scenario files."""

from __future__ import annotations

from harness.report.markdown.keys import CLAIMS, KeyTables, Schema

_HEADER = """\
# Scenario keys

Every key of scenario files, from the models that load them. [Scenario files](scenarios.md) explains how the keys work
together, and gives examples.

A size is a number of bytes, or a number with `KiB`, `MiB` or `GiB`. It is a multiple of 4096 bytes. Disks are sparse,
but keep them small: the harness checks every byte that a guest writes.
"""


def scenario_keys_page(schema: Schema) -> str:
    """Return the page as Markdown, from the JSON Schema of scenario files."""
    return f"{_HEADER}\n{KeyTables(schema, 'The file', links=CLAIMS, has_defaults=True).markdown()}"
