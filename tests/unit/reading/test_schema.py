"""The published schema: the file is the models', and it says yes and no where loading does."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from harness.reading.cases import SHIPPED_SUITE
from harness.reading.loading import load_scenarios
from harness.reading.schema import SCHEMA_PATH, scenario_schema, schema_text
from harness.scenario.models import Scenario

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "scenarios.md"
EXAMPLE: dict[str, Any] = scenario_schema()["examples"][0]
MOVED = {"claim": "names", "device": "root", "before": "vda", "after": "vdb"}
BY_SOFTWARE = {"claim": "other-hardware", "device": "nic0", "cause": "guest-kernel"}


def is_valid(data: object) -> bool:
    return Draft202012Validator(scenario_schema()).is_valid(data)


def changed(**keys: Any) -> dict[str, Any]:
    return {**copy.deepcopy(EXAMPLE), **keys}


def page_examples() -> list[str]:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in blocks if re.search(r"^name: ", block, re.MULTILINE)]


def test_published_file_is_the_schema_of_the_models() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), (
        "write it anew: python -m harness.reading.schema > harness/reading/scenario.schema.json"
    )


def test_schema_is_a_schema_without_a_host() -> None:
    Draft202012Validator.check_schema(scenario_schema())
    assert scenario_schema()["$id"].startswith("urn:")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(EXAMPLE, id="example"),
        pytest.param(changed(expect={"verdict": "refused", "reason": "no IDE"}), id="expect-a-mapping"),
        pytest.param(
            changed(expect={"verdict": "refused", "reason": "no IDE", "guest": "shut-off"}), id="guest-of-a-refusal"
        ),
        pytest.param(
            changed(
                expect=[
                    {
                        "when": {"libvirt": "<11.5"},
                        "verdict": "moved",
                        "findings": [MOVED],
                    },
                    "stable",
                ]
            ),
            id="expect-a-list",
        ),
        pytest.param(
            changed(instance={"memory": "512 MiB", "disks": [{"role": "root", "from": "volume", "serial": "x"}]}),
            id="boot-from-volume",
        ),
        pytest.param(
            changed(
                matrix={
                    "axes": {"instance.machine": ["pc", None]},
                    "exclude": [{"when": {"instance.machine": None}, "reason": "r"}],
                }
            ),
            id="exclusions",
        ),
        pytest.param(changed(expect={"verdict": "stable", "findings": [BY_SOFTWARE]}), id="stable-but-for-software"),
        pytest.param(
            changed(expect={"verdict": "moved", "findings": [BY_SOFTWARE, MOVED]}), id="moved-beside-the-software"
        ),
    ],
)
def test_schema_and_models_accept(data: dict[str, Any]) -> None:
    Draft202012Validator(scenario_schema()).validate(data)
    Scenario.model_validate(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(changed(lnks=[]), id="misspelt-key"),
        pytest.param(changed(expect="moved"), id="moved-without-findings"),
        pytest.param(changed(expect={"verdict": "moved", "findings": [BY_SOFTWARE]}), id="moved-by-software-alone"),
        pytest.param(changed(expect={"verdict": "stable", "findings": [MOVED]}), id="stable-though-moved"),
        pytest.param(changed(expect={"verdict": "refused"}), id="refused-without-reason"),
        pytest.param(changed(expect={"verdict": "stable", "reason": "r"}), id="reason-without-refusal"),
        pytest.param(changed(expect={"verdict": "stable", "guest": "running"}), id="guest-without-refusal"),
        pytest.param(changed(instance={"disks": [{"role": "swap"}]}), id="no-root"),
        pytest.param(changed(instance={"disks": [{"role": "root"}, {"role": "root"}]}), id="two-roots"),
        pytest.param(changed(instance={"disks": [{"role": "root", "size": 4096}]}), id="key-of-another-role"),
        pytest.param(
            changed(instance={"disks": [{"role": "root"}, {"role": "swap", "size": "16 MB"}]}), id="unit-of-a-size"
        ),
        pytest.param(changed(matrix={"axes": {}}), id="no-axes"),
        pytest.param({"name": "a", "summary": "s"}, id="no-instance"),
    ],
)
def test_schema_rejects(data: dict[str, Any]) -> None:
    assert not is_valid(data)


def test_shipped_scenarios_satisfy_the_schema() -> None:
    files = sorted(SHIPPED_SUITE.rglob("*.yaml"))
    assert files
    assert [file.name for file in files if not is_valid(YAML(typ="safe", pure=True).load(file))] == []


@pytest.mark.parametrize("text", page_examples(), ids=lambda text: re.findall(r"^name: (.*)", text, re.MULTILINE)[0])
def test_examples_of_the_page_load_and_satisfy_the_schema(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_scenarios([path])
    assert is_valid(YAML(typ="safe", pure=True).load(text))
