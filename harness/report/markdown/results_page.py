"""``docs/reference/results.md``: what a run leaves, and every key of its JSON files."""

from __future__ import annotations

from harness.report.markdown.keys import CLAIMS, KeyTables, Schema

_HEADER = """\
# Results

A run leaves one folder:

```text
results/
  latest -> 20261123-015637-fco3fy82
  20261123-015637-fco3fy82/        one folder a run: UTC time and a random part
    run.json                       accelerator, versions, every result so far
    gate.json                      only after `gate-nova`: the comparison of the two sides
    usb-disk-q35-qemu-xhci/        one folder a case
      result.json
      normal/
        defined.xml                the definition that was booted, or that the steps have left
        live.xml                   the running domain, with what libvirt added
        inventory.json             what the guest showed
        console.log                the serial console
        qemu.log                   QEMU's command line and messages
      rescued/                     the same
      unrescued/                   the same
      control-normal-1/            the same, for each control boot
      step-2/                      the same three states, for a rescue that is the second step
      traceback.txt                only after a defect of the harness
```

The name of a case's folder is the case's id. One hyphen replaces each run of characters other than letters, digits,
dots, underscores and hyphens. A boot that fails leaves `defined.xml`, `console.log` and `qemu.log`, and `screen.png`
where there is a graphics card. A refused case has only `normal/`. The harness writes each result as a whole as soon as
the case has ended, so a killed run loses no finished case.

A JSON Schema describes `result.json`, and another one `gate.json`:

    rescue-harness schema --result
    rescue-harness schema --gate

[Read a finding](../how-to/read-a-finding.md) leads through the files of one case.
"""


def results_page(result: Schema, run: Schema, gate: Schema) -> str:
    """Return the page as Markdown, from the JSON Schemas of the three files."""
    expectation = {"Expectation": "[mapping](scenario-keys.md#expect)"}
    one_result = {"CaseResult": "[mappings](#resultjson)"}
    tables = (
        KeyTables(result, "`result.json`", links=CLAIMS | expectation, has_defaults=False),
        KeyTables(run, "`run.json`", links=CLAIMS | one_result, has_defaults=False),
        KeyTables(gate, "`gate.json`", links=CLAIMS, has_defaults=False),
    )
    return "\n".join([_HEADER, *(each.markdown() for each in tables)])
