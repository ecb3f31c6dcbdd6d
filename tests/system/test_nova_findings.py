"""Every scenario of scenarios/nova with Nova 34 and the reference at level plan, and findings that no file can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.xml import disks_of, parse_domain, source_of
from harness.nova.environments import Environments
from harness.nova.implementation import Nova
from harness.run.cases import SHIPPED_SUITE
from harness.run.claims_page import cells_of, cells_on, results_in
from harness.scenario.models import Instance, RescueImage

from .command_line import CommandLine
from .nova_data import RELEASE, Data
from .nova_instances import NOVA, running

PAGE = Path(__file__).parents[2] / "docs" / "nova-claims.md"
STABLE = RescueImage.model_validate({"properties": {"hw_rescue_bus": "virtio"}})


def test_every_scenario_ends_as_its_file_and_the_page_say(nova_line: CommandLine, tmp_path: Path) -> None:
    both = ("--implementation", "reference", "--implementation", NOVA)
    scenarios = str(SHIPPED_SUITE / "nova")
    ran = nova_line.run("run", "--level", "plan", "--keep-going", *both, "--results", "out", scenarios, timeout_s=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    seen = cells_of(results_in((tmp_path / "out").glob("2*")))
    on_page = cells_on(PAGE.read_text())
    names = ("reference", NOVA)
    assert seen == {key: {name: on_page[key][name] for name in names} for key in seen}


@pytest.fixture(scope="module")
def nova(nova_data: Data) -> Iterator[Nova]:
    with Nova(Environments(nova_data.folder / "nova").find(RELEASE)) as opened:
        yield opened


def files_of(xml: str) -> set[str]:
    return {Path(source_of(disk) or "").name for disk in disks_of(parse_domain(xml))}


def test_a_rescue_password_is_on_no_disk_of_a_stable_rescue(nova: Nova) -> None:
    instance = running(nova, disks=[{"role": "root"}, {"role": "config_drive"}])
    stable, legacy = nova.rescued(instance, STABLE), nova.rescued(instance, RescueImage())
    assert "disk.config" in files_of(stable)
    assert "disk.config.rescue" not in files_of(stable), "made with the new password, and attached to nothing"
    assert "disk.config.rescue" in files_of(legacy)


def test_a_second_rescue_saves_the_first_as_what_to_go_back_to(nova: Nova) -> None:
    instance = running(nova)
    files = nova.disk_names(instance.instance, instance.placement)
    saved = Path(next(iter(files))).parent / "unrescue.xml"
    first = nova.rescued(instance, STABLE)
    assert "disk.rescue" not in files_of(saved.read_text())
    nova.rescued(replace(instance, live_xml=first), STABLE)
    assert "disk.rescue" in files_of(saved.read_text()), "so that unrescue boots the rescue medium"


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
    assert element in nova.rescued(booted, STABLE)
    assert element not in nova.rescued(edited, STABLE)
