"""Which expectation holds, and which conditions are told to be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HostError, ScenarioError
from harness.reading.expectation import applicable_expectation
from harness.reading.loading import load_scenarios
from harness.scenario.models import Scenario
from harness.scenario.words import VerdictName

if TYPE_CHECKING:
    from pathlib import Path

STABLE = {"verdict": "stable"}
MOVED = {"verdict": "moved", "findings": [{"claim": "only-addition", "device": "rescue"}]}
REFUSED = {"verdict": "refused", "reason": "no IDE"}


def scenario(*expect: Any, machine: str | None = "q35") -> Scenario:
    instance = {"machine": machine, "firmware": "uefi", "disks": [{"role": "root"}, {"role": "swap", "size": "4 MiB"}]}
    return Scenario.model_validate({"name": "a", "summary": "s", "instance": instance, "expect": expect or "stable"})


@pytest.mark.parametrize(
    ("when", "versions", "holds"),
    [
        pytest.param({"libvirt": "<11.5"}, {"libvirt": "9.0.0"}, True, id="older"),
        pytest.param({"instance.direct_kernel": "false"}, {}, True, id="false-as-yaml-has-it"),
        pytest.param({"instance.direct_kernel": "False"}, {}, False, id="false-as-python-has-it"),
        pytest.param({"libvirt": "<11.5"}, {"libvirt": "11.5.0"}, False, id="newer"),
        pytest.param({"libvirt": "<11.5"}, {"libvirt": "11.4.9"}, True, id="numbers-are-no-text"),
        pytest.param({"qemu": ">=7.2,<10"}, {"qemu": "7.2.22", "libvirt": "9.0.0"}, True, id="range"),
        pytest.param({"qemu": ">=10"}, {"qemu": "10.1.0rc2"}, True, id="release-candidate"),
        pytest.param({"qemu": ">=7"}, {"libvirt": "9.0.0"}, False, id="unknown-version"),
        pytest.param({"libvirt": ">=9", "qemu": ">=8"}, {"libvirt": "9.0.0", "qemu": "7.2.22"}, False, id="all"),
        pytest.param({"nova": ">=28,<34"}, {"nova": "33.0.0"}, True, id="nova"),
        pytest.param({"nova": ">=34"}, {"nova": "34.0.0.post12"}, True, id="checkout-after-a-release"),
        pytest.param({"nova": ">=27"}, {"implementation": "reference"}, False, id="no-nova"),
        pytest.param({"implementation": "nova"}, {"implementation": "nova:34.0.0"}, True, id="any-nova"),
        pytest.param({"implementation": "nova:33.0.0"}, {"implementation": "nova:34.0.0"}, False, id="other-nova"),
        pytest.param({"implementation": "reference"}, {"implementation": "nova:34.0.0"}, False, id="other"),
        pytest.param({"implementation": "reference"}, {}, True, id="reference-unless-said"),
        pytest.param({"instance.machine": "q35"}, {}, True, id="key"),
        pytest.param({"instance.machine": "pc"}, {}, False, id="other-value"),
        pytest.param({"instance.firmware": "uefi"}, {}, True, id="enumeration"),
        pytest.param({"instance.properties.hw_disk_bus": "virtio"}, {}, True, id="default"),
        pytest.param({"instance.disks.1.size": "4194304"}, {}, True, id="size-in-bytes"),
        pytest.param({"rescue_image.properties.hw_rescue_bus": "none"}, {}, True, id="not-written"),
    ],
)
def test_conditions(when: dict[str, str], versions: dict[str, str], *, holds: bool) -> None:
    expectation = applicable_expectation(scenario({"when": when, **MOVED}, STABLE), versions)
    assert expectation.verdict is (VerdictName.MOVED if holds else VerdictName.STABLE)


def test_first_entry_that_holds_wins() -> None:
    both = scenario({"when": {"libvirt": ">=1"}, **MOVED}, {"when": {"libvirt": ">=2"}, **REFUSED})
    assert applicable_expectation(both, {"libvirt": "9.0.0"}).verdict is VerdictName.MOVED


def test_machine_is_compared_as_written() -> None:
    versioned = scenario({"when": {"instance.machine": "q35"}, **MOVED}, STABLE, machine="pc-q35-7.2")
    assert applicable_expectation(versioned, {}).verdict is VerdictName.STABLE


def test_stable_is_the_default() -> None:
    assert applicable_expectation(scenario(), {}).verdict is VerdictName.STABLE


def test_no_entry_that_holds_is_an_error_with_the_versions() -> None:
    with pytest.raises(ScenarioError, match=r"a: no expectation holds here \(libvirt 12\.0\.0\)"):
        applicable_expectation(scenario({"when": {"libvirt": "<11.5"}, **MOVED}), {"libvirt": "12.0.0"})


def test_version_that_is_none_is_the_hosts_fault() -> None:
    with pytest.raises(HostError, match="no version number"):
        applicable_expectation(scenario({"when": {"qemu": "<9"}, **MOVED}, STABLE), {"qemu": "unknown"})


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        pytest.param(
            "[{when: {libvirt: '11.5'}, verdict: stable}]",
            'expect.0.when.libvirt: found "11.5"; allowed: a range of versions such as "<11.5" or ">=7.2,<10"; '
            'did you mean "==11.5"?',
            id="version-without-operator",
        ),
        pytest.param("[{when: {libvirt: 'old'}, verdict: stable}]", 'found "old"; allowed: a range', id="no-version"),
        pytest.param("[{when: {libvirt: ''}, verdict: stable}]", "found an empty range", id="empty-range"),
        pytest.param(
            "[{when: {libvirt: 11}, verdict: stable}]",
            'found the number 11; allowed: text, in quotes: "11"',
            id="number",
        ),
        pytest.param(
            "{when: {lbvirt: '<9'}, verdict: stable}",
            '"lbvirt" is no key of this scenario; allowed: libvirt, qemu, nova, implementation, instance, steps, '
            'rescue_image, and the keys below them; did you mean "libvirt"?',
            id="misspelt-hypervisor",
        ),
        pytest.param(
            "[{when: {implementation: nvoa}, verdict: stable}, stable]",
            'found "nvoa"; allowed: reference, nova, nova:VERSION or nova:PATH; did you mean "nova"?',
            id="misspelt-implementation",
        ),
        pytest.param(
            "[{when: {instance.firmwar: uefi}, verdict: stable}]",
            'did you mean "instance.firmware"?',
            id="misspelt-key",
        ),
        pytest.param(
            "[{when: {instance.machine: q53}, verdict: stable}, stable]",
            'a.yaml:7: expect.0.when.instance.machine: "q53" never holds here; allowed: pc, q35; did you mean "q35"?',
            id="value-of-no-point",
        ),
        pytest.param("[stable, stable]", "expect.1: this entry is never reached", id="never-reached"),
    ],
)
def test_problem_of_an_expectation(tmp_path: Path, expect: str, expected: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "name: a\nsummary: s\ninstance:\n  disks:\n    - {role: root}\n"
        f"matrix: {{axes: {{instance.machine: [pc, q35]}}}}\nexpect: {expect}\n",
        encoding="utf-8",
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenarios([path])
    (line,) = caught.value.message.splitlines()
    assert expected in line
