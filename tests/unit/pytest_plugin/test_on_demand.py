"""The plugin loads nothing slow in a run without scenarios."""

from __future__ import annotations

import pytest

NOTHING_SLOW = """
import sys

def test_nothing_slow_is_loaded():
    slow = ("libvirt", "lxml", "paramiko", "pydantic", "jinja2", "ruamel.yaml", "rich")
    assert [name for name in slow if name in sys.modules] == []
"""
SCENARIO = "name: one\nsummary: One disk\ninstance: {disks: [{role: root}]}\n"


def test_a_run_without_scenarios_loads_nothing_slow(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NOTHING_SLOW)
    pytester.makefile(".yaml", other="a: 1\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_scenario_is_collected_on_demand(pytester: pytest.Pytester) -> None:
    (pytester.mkdir("scenarios") / "one.yaml").write_text(SCENARIO)
    done = pytester.runpytest_subprocess("--collect-only", "-q")
    done.stdout.fnmatch_lines(["scenarios/one.yaml::one*"])


def test_a_wrong_name_of_an_implementation_is_an_error_of_usage(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("scenarios")
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(SCENARIO.replace("one", name))
    done = pytester.runpytest_subprocess("--rescue-implementation", "referense")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "\n".join([*done.outlines, *done.errlines]).count('did you mean "reference"?') == 1
