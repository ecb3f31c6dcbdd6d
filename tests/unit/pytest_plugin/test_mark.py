"""Wrong words in the mark ``rescue_scenario`` are errors of collection, each told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.pytest_plugin.mark import NamedScenario, named_scenario

SCENARIO = """\
name: one
summary: One disk
instance: {disks: [{role: root}]}
matrix: {axes: {instance.machine: [pc, q35]}}
"""
TEST = """
import pytest

@pytest.mark.rescue_scenario({arguments})
def test_it(rescued):
    pass
"""


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        pytest.param(pytest.mark.rescue_scenario(), "needs one path and got none", id="nothing"),
        pytest.param(pytest.mark.rescue_scenario("a.yaml", "pc"), "needs one path and got 2", id="k-without-its-name"),
        pytest.param(pytest.mark.rescue_scenario("a.yaml", K="pc"), "no keyword 'K'; did you mean 'k'?", id="misspelt"),
        pytest.param(pytest.mark.rescue_scenario("a.yaml", level="plan"), "no keyword 'level'\n", id="unknown"),
        pytest.param(pytest.mark.rescue_scenario("a.yaml", k=3), "needs an expression as 'k' and got 3", id="number"),
        pytest.param(pytest.mark.rescue_scenario(["a.yaml"]), "needs a path and got", id="list"),
    ],
)
def test_a_wrong_mark_is_told(mark: pytest.MarkDecorator, said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        named_scenario(mark.mark)
    assert raised.match(said.replace("?", r"\?"))


def test_a_mark_takes_text_or_a_path() -> None:
    assert named_scenario(pytest.mark.rescue_scenario("a.yaml", k="pc").mark) == NamedScenario(Path("a.yaml"), "pc")
    assert named_scenario(pytest.mark.rescue_scenario(Path("a.yaml")).mark) == NamedScenario(Path("a.yaml"))


def test_wrong_marks_are_errors_of_collection_without_a_traceback(pytester: pytest.Pytester) -> None:
    (pytester.path / "one.yaml").write_text(SCENARIO)
    pytester.makepyfile(
        test_missing=TEST.format(arguments='"two.yaml"'),
        test_unmatched=TEST.format(arguments='"one.yaml", k="aarch64"'),
        test_unnamed=TEST.format(arguments='"one.yaml", "pc"'),
    )
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(errors=3)
    done.stdout.fnmatch_lines(
        [
            "test_missing.py::test_it: *two.yaml: no such file or folder",
            "test_unmatched.py::test_it: no case matches k='aarch64'",
            "  the cases are: one?pc?, one?q35?",
            "test_unnamed.py::test_it: rescue_scenario needs one path and got 2",
        ]
    )
    assert "Traceback" not in done.stdout.str()
    assert "scenarios.py:" not in done.stdout.str()
