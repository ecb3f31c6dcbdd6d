"""The JSON Schema of scenario files, for editors and for anything else that reads or writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.scenario.models import Expectation, Instance, Scenario
from harness.scenario.words import Role, VerdictName

SCHEMA_PATH = Path(__file__).with_name("scenario.schema.json")
_EXAMPLE: dict[str, Any] = {
    "name": "usb-disk",
    "summary": "Full disk set, rescued from a USB stick",
    "links": ["https://blueprints.launchpad.net/nova/+spec/virt-rescue-stable-disk-devices"],
    "instance": {
        "machine": "pc",
        "properties": {"hw_scsi_model": "virtio-scsi"},
        "disks": [
            {"role": "root"},
            {"role": "ephemeral"},
            {"role": "swap"},
            {"role": "volume", "bus": "scsi", "size": "32 MiB"},
            {"role": "config_drive"},
        ],
    },
    "rescue_image": {"properties": {"hw_rescue_bus": "usb", "hw_rescue_device": "disk"}},
    "matrix": {"axes": {"instance.machine": ["pc", "q35"]}},
    "expect": "stable",
}


_BY_SOFTWARE = {"required": ["cause"], "properties": {"cause": {"const": "guest-kernel"}}}
"""An expected finding that the rescue system's own software causes; each verdict may have such findings."""


def scenario_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) that a scenario file as written satisfies.

    The schema is a little more lenient than loading, because it has no rules over two keys.
    """
    model = Scenario.model_json_schema(by_alias=True)
    definitions = model.pop("$defs")
    expectation = {"$ref": f"#/$defs/{Expectation.__name__}"}
    verdict_alone = {
        "type": "string",
        "enum": [str(VerdictName.STABLE)],
        "description": "short for a mapping with this verdict",
    }
    model["properties"]["expect"] = {
        "title": "Expect",
        "description": "how a case should end; of a list, the first entry whose 'when' holds",
        "default": str(VerdictName.STABLE),
        "anyOf": [
            verdict_alone,
            expectation,
            {"type": "array", "minItems": 1, "items": {"anyOf": [verdict_alone, expectation]}},
        ],
    }
    definitions[Expectation.__name__]["allOf"] = [
        {
            "if": _has(VerdictName.MOVED),
            "then": {"required": ["findings"], "properties": {"findings": {"contains": {"not": _BY_SOFTWARE}}}},
        },
        {
            "if": _has(VerdictName.STABLE, VerdictName.UNFIT),
            "then": {"properties": {"findings": {"items": _BY_SOFTWARE}}},
        },
        _goes_with(
            "reason", VerdictName.REFUSED, VerdictName.UNFIT, there={"type": "string"}, elsewhere={"type": "null"}
        ),
        {"if": _has(VerdictName.REFUSED), "else": {"properties": {"guest": {"type": "null"}}}},
    ]
    definitions[Instance.__name__]["properties"]["disks"]["allOf"] = [
        _disks_of(Role.ROOT, at_least=1),
        _disks_of(Role.SWAP, at_least=0),
        _disks_of(Role.CONFIG_DRIVE, at_least=0),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:rescue-harness:scenario",
        **model,
        "title": "Rescue scenario",
        "description": "One instance, one rescue image, and what must hold while the instance is rescued.",
        "examples": [_EXAMPLE],
        "$defs": definitions,
    }


def _goes_with(key: str, *verdicts: VerdictName, there: dict[str, Any], elsewhere: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": _has(*verdicts),
        "then": {"required": [key], "properties": {key: there}},
        "else": {"properties": {key: elsewhere}},
    }


def _has(*verdicts: VerdictName) -> dict[str, Any]:
    return {"required": ["verdict"], "properties": {"verdict": {"enum": [str(verdict) for verdict in verdicts]}}}


def _disks_of(role: Role, *, at_least: int) -> dict[str, Any]:
    is_one = {"type": "object", "required": ["role"], "properties": {"role": {"const": str(role)}}}
    return {"contains": is_one, "minContains": at_least, "maxContains": 1}


def schema_text() -> str:
    """Return the text of the schema, as in the file beside this module."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
