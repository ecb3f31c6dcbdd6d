"""The command line and pytest, as users call them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from harness.result.case_result import result_schema

from .conftest import MINIMAL, CommandLine

ARTEFACTS = {"defined.xml", "live.xml", "qemu.log", "console.log", "inventory.json"}
WRONGLY_EXPECTED = MINIMAL.replace("minimal", "wrongly-expected") + (
    "expect: {verdict: moved, findings: [{claim: names, device: root, after: vdz}]}\n"
)


def test_run_boots_three_states_and_leaves_all_artefacts(
    command_line: CommandLine, minimal: Path, tmp_path: Path
) -> None:
    done = command_line.run("run", str(minimal))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ stable" in done.stdout
    folder = tmp_path / "results" / "latest" / "minimal"
    result = json.loads((folder / "result.json").read_text())
    jsonschema.validate(result, result_schema())
    assert [boot["state"] for boot in result["boots"]] == ["normal", "rescued", "unrescued"]
    assert len({boot["boot_id"] for boot in result["boots"]}) == 3
    assert result["additions"] == ["rescue device vdc: virtio disk at PCI 0000:00:06.0"]
    for state in ("normal", "rescued", "unrescued"):
        assert {path.name for path in (folder / state).iterdir()} == ARTEFACTS
        assert all(path.stat().st_size for path in (folder / state).iterdir())
    assert (folder / "normal/defined.xml").read_bytes() == (folder / "unrescued/defined.xml").read_bytes()


def test_what_is_not_as_expected_is_exit_code_1(command_line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONGLY_EXPECTED)
    done = command_line.run("run", str(path), "--level", "machine")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "expected but not found" in done.stdout


def test_wrong_file_is_exit_code_2_and_no_traceback(command_line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(MINIMAL.replace("rescue_image", "rescue_imagee").replace("role: volume", "role: volme"))
    done = command_line.run("run", str(path))
    assert done.returncode == 2
    assert f"{path}:6:" in done.stderr
    assert 'did you mean "volume"?' in done.stderr
    assert 'did you mean "rescue_image"?' in done.stderr
    assert "Traceback" not in done.stderr


def test_show_prints_domains_and_disks_without_a_boot(command_line: CommandLine, minimal: Path) -> None:
    done = command_line.run("show", str(minimal), timeout_s=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("<domain type=") == 3
    assert any(line.split()[:4] == ["rescue", "virtio", "disk", "-"] for line in done.stdout.splitlines())


def test_doctor_proves_the_accelerator(command_line: CommandLine) -> None:
    done = command_line.run("doctor")
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout
    assert "TCG:" in done.stdout or "KVM:" in done.stdout


def test_pytest_collects_cases_and_fails_without_our_traceback(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("scenarios")
    (folder / "minimal.yaml").write_text(MINIMAL)
    (folder / "wrong.yaml").write_text(WRONGLY_EXPECTED)
    done = pytester.runpytest_subprocess("--junitxml=junit.xml", "--rescue-level=machine")
    done.assert_outcomes(passed=1, failed=1)
    output = done.stdout.str()
    assert "wrongly-expected: stable, expected moved" in output
    assert "artefacts: results/" in output
    assert f"again:     pytest {folder / 'wrong.yaml'}::wrongly-expected --rescue-level machine" in output
    assert "Traceback" not in output
    assert "plugin.py" not in output
    names = {case.get("name") for case in etree.parse(pytester.path / "junit.xml").iter("testcase")}
    assert names == {"minimal", "wrongly-expected"}


def test_pytest_shows_every_problem_of_a_wrong_file(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("scenarios")
    (folder / "wrong.yaml").write_text(MINIMAL.replace("disks:", "disk:"))
    done = pytester.runpytest_subprocess()
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert 'did you mean "disks"?' in done.stdout.str()
    assert "Traceback" not in done.stdout.str()


def test_yaml_outside_scenario_folders_is_left_alone(pytester: pytest.Pytester) -> None:
    (pytester.path / "compose.yaml").write_text("services: {}\n")
    assert pytester.runpytest_subprocess().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_rescued_is_a_testinfra_host_with_disks(pytester: pytest.Pytester) -> None:
    (pytester.path / "minimal.yaml").write_text(MINIMAL)
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.rescue_scenario("minimal.yaml")

        def test_names(rescued):
            assert rescued.disks["root"].name == "/dev/vda"
            assert rescued.disks["rescue"].name == "/dev/vdc"

        def test_places(rescued):
            root = rescued.disks["root"]
            assert root.pci_address == "0000:00:03.0"
            assert f"pci-{root.pci_address}" in root.by_path
            assert len(rescued.disks["volume1"].serial) == 20
            assert set(rescued.disks) == {"root", "volume1", "rescue"}

        def test_testinfra_is_there(rescued):
            assert rescued.run("uname -s").stdout == "Linux\\n"
            assert rescued.mount_point("/medium").exists

        def test_no_such_disk(rescued):
            with pytest.raises(KeyError, match="there are rescue, root, volume1"):
                rescued.disks["volume2"]
        """
    )
    done = pytester.runpytest_subprocess("-q")
    done.assert_outcomes(passed=4)


def test_rescued_without_a_scenario_says_what_it_needs(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(rescued): pass")
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(errors=1)
    assert "rescue_scenario('FILE.yaml')" in done.stdout.str()
