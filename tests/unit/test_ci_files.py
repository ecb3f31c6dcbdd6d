"""The CI files of the documents are what GitHub and GitLab take, by their published JSON Schemas."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_jsonschema import main
from click.testing import CliRunner
from ruamel.yaml import YAML

FILES = Path(__file__).parents[2] / "docs/how-to/ci"
SCHEMAS = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}


def check(schema: str, path: Path) -> int:
    return CliRunner().invoke(main, ["--builtin-schema", schema, str(path)]).exit_code


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items(), ids=SCHEMAS)
def test_ci_file_fits_its_schema(name, schema):
    assert check(schema, FILES / name) == 0


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        pytest.param("github-actions.yml", "runs-on:", "run-on:", id="github"),
        pytest.param("gitlab-ci.yml", "when: always", "when: sometimes", id="gitlab"),
    ],
)
def test_mistake_in_a_ci_file_is_noticed(tmp_path, name, right, wrong):
    path = tmp_path / name
    path.write_text((FILES / name).read_text().replace(right, wrong))
    assert check(SCHEMAS[name], path) != 0


def test_zuul_jobs_name_playbooks_that_are_there():
    jobs = [entry["job"] for entry in YAML(typ="safe").load(FILES / "zuul.yaml") if "job" in entry]
    assert len(jobs) == 2
    for job in jobs:
        (play,) = YAML(typ="safe").load(FILES.parents[2] / job["run"])
        assert play["hosts"] == "all"
