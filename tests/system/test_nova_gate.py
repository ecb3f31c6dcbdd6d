"""The gate on a change to Nova: faults seeded in a git checkout fail it, an unrelated change does not."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from harness.implementation.nova.environments import Environments
from harness.study.compare.borrowed import borrow

from .conftest import wait_for
from .support.command_line import CommandLine
from .support.nova_checkout import Checkout, checkout_of
from .support.nova_data import RELEASE, Data

DRIVER = "nova/virt/libvirt/driver.py"
USES_RELEASE = ("--environment", RELEASE)
ONE_CASE = ("-k", "usb-disk and pc-none")
UNRELATED = ('LOG.info("Attempting a stable device rescue"', 'LOG.info("A stable device rescue is attempted"')


@pytest.fixture
def checkout(nova_data: Data, tmp_path: Path) -> Checkout:
    return checkout_of(nova_data, tmp_path / "nova")


def test_an_unrelated_change_passes_the_whole_suite(nova_line: CommandLine, checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("checkout", "--quiet", "-b", "topic")
    checkout.replace(DRIVER, *UNRELATED)
    checkout.git("commit", "--quiet", "--all", "--message", "Say it otherwise")
    before = checkout.state()
    ran = nova_line.run("gate-nova", str(checkout.path), *USES_RELEASE, "--results", "out")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (gate,) = (tmp_path / "out").glob("2*/gate.json")
    record = json.loads(gate.read_text())
    assert (
        f"{len(record['comparisons'])} cases: 0 worse, 0 better, {len(record['comparisons'])} unchanged" in ran.stdout
    )
    assert record["base"]["commit"] == checkout.git("rev-parse", "master")
    assert record["change"]["commit"] == checkout.git("rev-parse", "topic")
    assert record["base"]["version"] == record["change"]["version"] == RELEASE
    verdicts = {comparison["base"]["verdict"] for comparison in record["comparisons"]}
    assert verdicts == {"stable", "moved", "refused", "unfit"}
    results = json.loads((gate.parent / "run.json").read_text())["results"]
    assert {result["implementation"] for result in results} == {
        record["base"]["implementation"],
        record["change"]["implementation"],
    }
    assert checkout.state() == before
    assert nova_line.work_folders() == []


def test_what_is_not_committed_is_compared_with_head(nova_line: CommandLine, checkout: Checkout) -> None:
    checkout.replace(DRIVER, "disk_mapping, flavor, boot_order='1')", "disk_mapping, flavor)")
    ran = nova_line.run("gate-nova", str(checkout.path), *USES_RELEASE, *ONE_CASE)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "change: what is not committed" in ran.stdout
    assert "booted-from-rescue rescue: rescue -> root" in ran.stdout
    assert "1 case: 1 worse, 0 better, 0 unchanged" in ran.stdout


def test_a_checkout_that_was_added_needs_no_other_environment(
    nova_line: CommandLine, nova_data: Data, checkout: Checkout, tmp_path: Path
) -> None:
    added_to(tmp_path / "data", nova_data, checkout)
    nova_line.environment["RESCUE_HARNESS_DATA"] = str(tmp_path / "data")
    checkout.replace(DRIVER, "disk_mapping, flavor, boot_order='1')", "disk_mapping, flavor)")
    checkout.git("commit", "--quiet", "--all", "--message", "Drop the boot order")
    checkout.git("checkout", "--quiet", "HEAD~", "--", ".")
    (checkout.path / "requirements.txt").write_text("one-more\n")
    ran = nova_line.run("gate-nova", str(checkout.path / "nova"), *ONE_CASE)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"requirements.txt differs: both sides use the libraries of nova:{checkout.path}" in ran.stdout
    assert "1 case: 0 worse, 1 better, 0 unchanged" in ran.stdout


def added_to(folder: Path, data: Data, checkout: Checkout) -> None:
    """As ``nova add --checkout`` does, with the release's libraries in place of downloaded ones."""
    environments = Environments(folder / "nova")
    lender = Environments(data.folder / "nova").find(RELEASE)
    with environments.locked():
        made = borrow(lender, checkout.path, environments.new_folder(), shown_as=str(checkout.path), version=RELEASE)
        environments.keep(made.record.model_copy(update={"folder": made.path.name}))


def test_a_change_with_which_nova_does_not_start_is_worse(nova_line: CommandLine, checkout: Checkout) -> None:
    checkout.replace(DRIVER, "class LibvirtDriver(", "class LibvirtDriver((")
    ran = nova_line.run("gate-nova", str(checkout.path), *USES_RELEASE, *ONE_CASE)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "SyntaxError" in ran.stdout
    assert "1 case: 1 worse" in ran.stdout


def test_a_gate_that_is_interrupted_leaves_nothing(nova_line: CommandLine, checkout: Checkout) -> None:
    checkout.replace(DRIVER, *UNRELATED)
    process = nova_line.start("gate-nova", str(checkout.path), *USES_RELEASE)
    wait_for(nova_line.work_folders, "the base's files")
    wait_for(lambda: list(nova_line.cache.glob("hv/*/work/environment-of-change")), "the environments")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "interrupted: nothing is left running" in said
    assert nova_line.work_folders() == []


def test_wrong_input_is_one_message(nova_line: CommandLine, checkout: Checkout, tmp_path: Path) -> None:
    checkout.replace(DRIVER, *UNRELATED)
    for words, message in (
        ((str(tmp_path),), "is no git checkout"),
        ((str(checkout.path),), f"rescue-harness nova add --checkout {checkout.path}"),
        ((str(checkout.path), "--base", "nowhere"), "'nowhere' is no commit of"),
        ((str(checkout.path), *USES_RELEASE, "-k", "nothing"), "no case matches -k 'nothing'"),
    ):
        ran = nova_line.run("gate-nova", *words)
        assert ran.returncode == 2, ran.stdout + ran.stderr
        assert message in ran.stderr
