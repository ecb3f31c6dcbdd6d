"""Every scenario of scenarios/nova with Nova 34 and the reference at level plan, and findings that no file can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.reading.cases import SHIPPED_SUITE
from harness.report.markdown.claims_page import cells_of, cells_on, latest_results
from harness.result.folders import read_runs
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage

from .support.command_line import CommandLine
from .support.nova_data import RELEASE, Data
from .support.nova_instances import NOVA, running

PAGE = Path(__file__).parents[2] / "docs" / "nova" / "claims.md"
STABLE = RescueImage.model_validate({"properties": {"hw_rescue_bus": "virtio"}})


def test_every_scenario_ends_as_its_file_and_the_page_say(nova_line: CommandLine, tmp_path: Path) -> None:
    both = ("--implementation", "reference", "--implementation", NOVA)
    scenarios = str(SHIPPED_SUITE / "nova")
    ran = nova_line.run("run", "--level", "plan", "--keep-going", *both, "--results", "out", scenarios, timeout_s=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    seen = cells_of(latest_results(read_runs((tmp_path / "out").glob("2*")).runs))
    on_page = cells_on(PAGE.read_text())
    names = ("reference", NOVA)
    assert seen == {key: {name: on_page[key][name] for name in names} for key in seen}


@pytest.fixture(scope="module")
def nova(nova_data: Data) -> Iterator[Nova]:
    with Nova(Environments(nova_data.folder / "nova").find(RELEASE)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("before", "after", "element"),
    [
        ({"hw_scsi_model": "virtio-scsi"}, {}, 'model="virtio-scsi"'),
        ({}, {"hw_machine_type": "q35"}, 'machine="pc"'),
    ],
)
def test_properties_changed_since_the_boot_change_the_rescued_hardware(
    nova: Nova, before: dict[str, str], after: dict[str, str], element: str
) -> None:
    disks = [{"role": "root", "bus": "scsi"}, {"role": "volume", "bus": "scsi"}]
    booted = running(nova, disks=disks, properties=before)
    edited = replace(booted, instance=Instance.model_validate({"disks": disks, "properties": after}))
    assert element in nova.rescued(booted, STABLE).xml
    assert element not in nova.rescued(edited, STABLE).xml
