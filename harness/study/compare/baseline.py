"""Baselines: for each release of Nova a file of the shipped suite's outcomes, so that a diff compares releases."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from harness.errors import ScenarioError
from harness.frozen import Frozen
from harness.scenario.words import Level
from harness.study.compare.case_outcome import CaseOutcome

_FOLDER = Path(__file__).with_name("baselines")
_WIDTH = 4096
_HEADER = """\
# What {suite} on this Nova, by case.
# Written by: rescue-harness nova baseline {nova} --level {level} --write
"""
_SUITES = {
    Level.PLAN: "the shipped suite comes to",
    Level.GUEST: "the cases that stand for the shipped suite come to",
}


class Baseline(Frozen):
    """The outcome of each case, and the versions of libvirt and QEMU it was seen on."""

    nova: str
    level: Level
    libvirt: str
    qemu: str
    cases: dict[str, CaseOutcome]

    @classmethod
    def of(cls, nova: str, level: Level, versions: Mapping[str, str], seen: Mapping[str, CaseOutcome]) -> Self:
        """Return the baseline of a run."""
        return cls(nova=nova, level=level, libvirt=versions["libvirt"], qemu=versions["qemu"], cases=dict(seen))

    def only(self, is_wanted: Callable[[str], bool]) -> Self:
        """Return the baseline with the wanted cases only."""
        return self.model_copy(update={"cases": {case: each for case, each in self.cases.items() if is_wanted(case)}})

    def other_hypervisor(self, versions: Mapping[str, str]) -> str | None:
        """Return a sentence if this libvirt or QEMU differs from the baseline's; None if both are the same.

        Another libvirt or QEMU may be the cause of a difference. The third number of a version, which counts
        updates of a stable release, is ignored.
        """
        there = {"libvirt": self.libvirt, "qemu": self.qemu}
        if all(_series(versions[name]) == _series(version) for name, version in there.items()):
            return None
        return (
            f"the baseline was made on libvirt {self.libvirt} and QEMU {self.qemu}, here are"
            f" {versions['libvirt']} and {versions['qemu']}: these versions may cause the differences"
        )

    def text(self) -> str:
        """Return the file's text: the cases in order of their names, one line for each finding."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        data["cases"] = {name: _readable(data["cases"][name]) for name in sorted(data["cases"])}
        yaml, stream = YAML(), io.StringIO()
        yaml.width = _WIDTH
        yaml.indent(mapping=2, sequence=4, offset=2)
        yaml.dump(data, stream)
        return _HEADER.format(suite=_SUITES[self.level], nova=self.nova, level=self.level) + stream.getvalue()


def baseline_path(nova: str, level: Level) -> Path:
    """Return the path of a release's baseline, which is kept with the code."""
    return _FOLDER / f"nova-{nova}-{level}.yaml"


def read_baseline(nova: str, level: Level) -> Baseline:
    """Read a release's baseline.

    Raises:
        ScenarioError: the release has no baseline, or its baseline cannot be read.
    """
    path = baseline_path(nova, level)
    try:
        return Baseline.model_validate(YAML(typ="safe").load(path.read_text()))
    except FileNotFoundError:
        kept = ", ".join(sorted(each.stem for each in _FOLDER.glob("*.yaml"))) or "none"
        raise ScenarioError(
            f"no baseline of Nova {nova} at level {level} is kept; there are: {kept}",
            hint="--write makes one, --against VERSION compares with another's",
        ) from None
    except (ValidationError, YAMLError) as error:
        raise ScenarioError(f"{path} is no baseline: {error}", hint="--write makes it anew") from error


def _readable(outcome: dict[str, object]) -> CommentedMap:
    shown = CommentedMap(outcome)
    findings = outcome.get("findings")
    if isinstance(findings, list):
        shown["findings"] = [_on_one_line(finding) for finding in findings]
        return shown
    if len(shown) == 1:
        shown.fa.set_flow_style()
    return shown


def _on_one_line(finding: dict[str, str]) -> CommentedMap:
    shown = CommentedMap(finding)
    shown.fa.set_flow_style()
    return shown


def _series(version: str) -> list[str]:
    return version.split(".")[:2]
