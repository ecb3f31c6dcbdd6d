"""Baselines are small files that say what they were made on, and come back as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import GuestAfter, ScenarioError
from harness.scenario.words import ClaimName, Level, VerdictName
from harness.study.compare import baseline
from harness.study.compare.baseline import Baseline, baseline_path, read_baseline
from harness.study.compare.case_outcome import CaseOutcome, Difference

HERE = {"libvirt": "9.0.0", "qemu": "7.2.22"}
SLOT = Difference(
    claim=ClaimName.OTHER_HARDWARE, device="0000:00:06.0", before="0000:00:06.0", after="port 1, # or {2}: 'x'"
)
SEEN = {
    "usb[q35]": CaseOutcome(verdict=VerdictName.MOVED, findings=(SLOT, SLOT.model_copy(update={"device": "1e3"}))),
    "cdrom": CaseOutcome(verdict=VerdictName.STABLE),
    "ide": CaseOutcome(verdict=VerdictName.REFUSED, refused_by="Nova", reason="no: bus 'ide'"),
    "off": CaseOutcome(
        verdict=VerdictName.REFUSED, refused_by="libvirt", guest=GuestAfter.SHUT_OFF, reason="no: bus 'ide'"
    ),
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "_FOLDER", tmp_path)


def test_a_baseline_comes_back_as_it_was_written() -> None:
    made = Baseline.of("34.0.0", Level.PLAN, HERE, SEEN)
    baseline_path("34.0.0", Level.PLAN).write_text(made.text())
    assert read_baseline("34.0.0", Level.PLAN) == made
    assert made.text() == Baseline.of("34.0.0", Level.PLAN, HERE, dict(reversed(SEEN.items()))).text()


def test_a_baseline_is_read_by_people() -> None:
    lines = Baseline.of("34.0.0", Level.PLAN, HERE, SEEN).text().splitlines()
    assert lines[1:7] == [
        "# Written by: rescue-harness nova baseline 34.0.0 --level plan --write",
        "nova: 34.0.0",
        "level: plan",
        "libvirt: 9.0.0",
        "qemu: 7.2.22",
        "cases:",
    ]
    assert lines[7] == "  cdrom: {verdict: stable}"
    assert [line for line in lines if "guest" in line] == ["    guest: shut-off"]
    assert len([line for line in lines if "other-hardware" in line and "after" in line]) == 2


@pytest.mark.parametrize(
    ("libvirt", "qemu", "is_other"),
    [("9.0.0", "7.2.22", False), ("9.0.0", "7.2.30", False), ("9.0.0", "8.0.0", True), ("10.0.0", "7.2.22", True)],
)
def test_another_hypervisor_is_told(libvirt: str, qemu: str, is_other: bool) -> None:
    made = Baseline.of("34.0.0", Level.PLAN, HERE, SEEN)
    told = made.other_hypervisor({"libvirt": libvirt, "qemu": qemu})
    assert (told is not None) is is_other
    if told is not None:
        assert "made on libvirt 9.0.0 and QEMU 7.2.22" in told


def test_a_baseline_that_is_missing_or_none() -> None:
    with pytest.raises(ScenarioError, match=r"no baseline of Nova 35\.0\.0 at level plan is kept; there are: none"):
        read_baseline("35.0.0", Level.PLAN)
    baseline_path("35.0.0", Level.PLAN).write_text("cases: [")
    with pytest.raises(ScenarioError, match="is no baseline"):
        read_baseline("35.0.0", Level.PLAN)
