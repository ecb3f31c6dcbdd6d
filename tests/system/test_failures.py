"""Each way in which a host, a guest or a run can fail, done for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import libvirt
import psutil
import pytest

from harness.errors import DidNotBoot, Refused
from harness.evidence.inventory import State
from harness.hypervisor.canary import boot_canary, find_accelerator
from harness.hypervisor.host import Pace, find_emulator
from harness.implementation.protocol import RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_instance
from harness.reading.cases import collect_cases
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.rescue_image import RescueImage
from harness.scenario.words import ClaimName, Level, VerdictName

from .conftest import MINIMAL, CommandLine, wait_for
from .support import dying_media
from .support.cases import case_with
from .support.implementations import InvalidRescue, LinkDown, MissingRescueDisk, NoBootOrder


def _hanging_kvm(folder: Path) -> str:
    """A QEMU that hangs under KVM and is the real one otherwise."""
    path = folder / "qemu"
    path.write_text(f'#!/bin/sh\ncase "$*" in *"-accel kvm"*) exec sleep 600;; esac\nexec {find_emulator()} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_kvm_that_hangs_is_not_believed(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_CACHE", str(tmp_path))
    monkeypatch.setattr("harness.hypervisor.canary.KVM_DEADLINE_FACTOR", 0)
    emulator = _hanging_kvm(tmp_path)
    accelerator = find_accelerator(session.images, emulator)
    assert accelerator.domain_type == "qemu"
    assert accelerator.canary_s > 0
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        assert "did not come up under it" in accelerator.reason
    assert find_accelerator(session.images, emulator) == accelerator


def test_canary_that_prints_nothing_is_no_accelerator(session: Session) -> None:
    blank = session.images.directory / "manifest.json"
    assert boot_canary(replace(session.images, kernel=blank), find_emulator(), "tcg", 5) is None


def test_no_libvirt_is_one_message(command_line: CommandLine, minimal: Path, tmp_path: Path) -> None:
    done = command_line.run("run", str(minimal), LIBVIRT_DRIVER_DIR=str(tmp_path))
    assert done.returncode == 3
    assert "libvirt cannot open" in done.stderr
    assert "rescue-harness doctor" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_qemu_is_one_message(command_line: CommandLine, minimal: Path, tmp_path: Path) -> None:
    done = command_line.run("run", str(minimal), PATH=str(tmp_path))
    assert done.returncode == 3
    assert "qemu-system-x86_64 is not on this host" in done.stderr
    assert "Traceback" not in done.stderr


def test_image_that_never_boots_is_told_with_its_screen(own_session: Session, tmp_path: Path) -> None:
    assert own_session.images is not None
    blank, scenario = tmp_path / "blank.img", tmp_path / "blank.yaml"
    dying_media.blank(own_session.images.instance, blank)
    scenario.write_text(MINIMAL.replace("instance:", "instance:\n  properties: {hw_video_model: vga}"))
    (case,) = collect_cases([scenario], Reference())
    result = run_case(case, replace(own_session, images=replace(own_session.images, instance=blank)))
    assert result.verdict is VerdictName.UNFIT
    assert result.unfit is not None
    assert "the firmware found nothing to boot from: 'No bootable device.'; it read 512 bytes of vda" in result.unfit
    assert "domain: running" in result.unfit
    folder = own_session.folder.path / result.artefacts
    assert (folder / "normal" / "defined.xml").is_file()
    assert (folder / "normal" / "screen.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert not own_session.hypervisor.connection.listAllDomains()


class _KilledBeforeItRefuses(Reference):
    """Refuses each rescue, once the running guest's QEMU was killed."""

    name = "killed-before-it-refuses"

    def __init__(self, root: Path) -> None:
        self._pids = root / "run" / "qemu"

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        (pid,) = (int(path.read_text()) for path in self._pids.glob("rh-*.pid"))
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", "the end of QEMU")
        raise Refused("no")


def test_qemu_that_dies_before_a_refusal_is_nobodys_move(own_session: Session, minimal: Path) -> None:
    case = case_with(_KilledBeforeItRefuses(own_session.hypervisor.root.path), minimal, own_session)
    result = run_case(case, own_session)
    assert result.verdict is VerdictName.ERROR
    assert result.failure is not None
    assert "QEMU ended by itself" in result.failure.message or "the SSH connection broke" in result.failure.message


def test_ssh_that_never_answers(own_session: Session, minimal: Path) -> None:
    hypervisor = replace(own_session.hypervisor, pace=_ImpatientPace(own_session.hypervisor.accelerator.canary_s))
    case = case_with(LinkDown(), minimal, own_session)
    result = run_case(case, replace(own_session, hypervisor=hypervisor))
    assert result.failure is not None
    assert "SSH does not answer" in result.failure.message
    assert "last console lines" in result.failure.message
    assert "rescue-harness: ready" in result.failure.message
    assert "domain: running" in result.failure.message


class _ImpatientPace(Pace):
    @property
    def command_s(self) -> float:
        return 5


class _KilledWhileRescued(threading.Thread):
    """Kills the QEMU that follows the running one, as soon as its guest says something."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True)
        self._root = root

    def run(self) -> None:
        before = self._running()
        wait_for(lambda: self._running() - before, "the rescued guest's QEMU")
        wait_for(self._said_something, "the rescued guest's first line")
        for pid in self._running() - before:
            os.kill(pid, signal.SIGKILL)

    def _running(self) -> set[int]:
        pids = (self._root / "run" / "qemu").glob("*.pid")
        return {int(text) for path in pids if (text := path.read_text().strip())}

    def _said_something(self) -> bool:
        return any(path.stat().st_size for path in (self._root / "work").glob("*/console.log"))


def works(session: Session, scenario: Path) -> bool:
    """Whether a session still runs cases, from its disks to its QEMU."""
    (case,) = collect_cases([scenario], Reference(), level=Level.MACHINE)
    return run_case(case, session).verdict is VerdictName.STABLE


def test_qemu_that_dies_in_the_middle(own_session: Session, minimal: Path) -> None:
    (case,) = collect_cases([minimal], Reference())

    def kill_soon(phase: str) -> None:
        if phase == "rescued":
            _KilledWhileRescued(own_session.hypervisor.root.path).start()

    result = run_case(case, own_session, kill_soon)
    assert result.verdict is VerdictName.ERROR
    assert result.failure is not None
    assert "QEMU ended before the guest was ready" in result.failure.message
    assert "domain: shut off" in result.failure.message
    assert (own_session.folder.path / result.artefacts / "rescued" / "console.log").is_file()
    assert works(own_session, minimal)


def test_rescue_that_does_not_start_can_be_unrescued(own_session: Session, minimal: Path) -> None:
    case = case_with(MissingRescueDisk(), minimal, own_session)
    with prepared_instance(case, own_session) as ready:
        life_cycle = ready.life_cycle
        life_cycle.start()
        before = life_cycle.defined_xml[State.NORMAL]
        with pytest.raises(DidNotBoot, match="does not start"):
            life_cycle.rescue(case.point.scenario.rescue_image)
        assert life_cycle.state is State.RESCUED
        assert life_cycle.unrescue().run("grep -o harness.medium=instance /proc/cmdline").exit_status == 0
        assert life_cycle.defined_xml[State.UNRESCUED] == before
    assert not own_session.hypervisor.connection.listAllDomains()


def test_rescue_that_boots_the_old_root_is_seen(own_session: Session, minimal: Path) -> None:
    case = case_with(NoBootOrder(), minimal, own_session)
    result = run_case(case, own_session)
    assert result.verdict is VerdictName.MOVED
    assert ClaimName.BOOTED_FROM_RESCUE in {finding.claim for finding in result.findings}


def test_scenario_that_expects_nothing_here_is_one_failed_case(own_session: Session, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"
    path.write_text(MINIMAL + "expect: [{when: {libvirt: '<1'}, verdict: stable}]\n")
    (case,) = collect_cases([path], Reference())
    result = run_case(case, own_session)
    assert (result.verdict, result.as_expected, result.boots) == (VerdictName.ERROR, False, ())
    assert result.failure is not None
    assert "no expectation holds here" in result.failure.message


def test_cases_of_one_name_keep_their_artefacts_apart(own_session: Session) -> None:
    first, second = own_session.folder.case_folder("same"), own_session.folder.case_folder("same")
    assert first.path != second.path


def test_rescue_that_libvirt_refuses_leaves_the_guest_untouched(own_session: Session, minimal: Path) -> None:
    case = case_with(InvalidRescue(), minimal, own_session)
    result = run_case(case, own_session)
    assert result.verdict is VerdictName.REFUSED
    assert result.refusal is not None
    assert result.refusal.refused_by == "libvirt"
    assert len(result.boots) == 1


class _DoesHarmAndRefuses(Reference):
    """Refuses each rescue after it has changed the definition, a volume, and the instance's folder."""

    name = "does-harm-and-refuses"

    def __init__(self, connection: libvirt.virConnect) -> None:
        super().__init__()
        self._connection = connection

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        volume = running.placement.sources["volume1"].path
        with volume.open("r+b") as file:
            file.write(b"harm")
        volume.with_name("disk.rescue").touch()
        self._connection.defineXML(super().rescued(running, image).xml)
        raise Refused("no")


def test_a_refusal_that_did_harm_is_no_mere_refusal(own_session: Session, minimal: Path) -> None:
    case = case_with(_DoesHarmAndRefuses(own_session.hypervisor.connection), minimal, own_session)
    result = run_case(case, own_session)
    assert result.failure is None
    assert {(each.claim, each.device, each.before, each.after) for each in result.findings} == {
        (ClaimName.RESTORED, "domain", "saved", "different"),
        (ClaimName.RESTORED, "folder", "no file", "disk.rescue"),
        (ClaimName.DATA, "volume1", "unchanged", "bytes 0-4095"),
    }
    assert (result.verdict, result.refusal is not None, len(result.boots)) == (VerdictName.MOVED, True, 1)


@contextmanager
def _small_disk(path: Path, size: str) -> Iterator[Path]:
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


needs_mount = pytest.mark.skipif(os.getuid() != 0, reason="mounting a small file system takes root")


@needs_mount
def test_full_disk_under_the_guests(command_line: CommandLine, minimal: Path) -> None:
    with _small_disk(command_line.cache / "hv", "1m"):
        done = command_line.run("run", str(minimal))
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "RESCUE_HARNESS_CACHE" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@needs_mount
def test_disk_that_fills_up_costs_one_case(own_session: Session, minimal: Path, tmp_path: Path) -> None:
    (case,) = collect_cases([minimal], Reference())
    with _small_disk(tmp_path / "small", "32k") as folder:
        root = replace(own_session.hypervisor.root, path=folder)
        result = run_case(case, replace(own_session, hypervisor=replace(own_session.hypervisor, root=root)))
    assert result.verdict is VerdictName.ERROR
    assert result.failure is not None
    assert "No space left on device" in result.failure.message
    assert works(own_session, minimal)


@needs_mount
def test_full_disk_under_the_results(command_line: CommandLine, minimal: Path, tmp_path: Path) -> None:
    with _small_disk(tmp_path / "results", "64k"):
        done = command_line.run("run", str(minimal))
    assert done.returncode == 3
    assert "No space left on device" in done.stdout + done.stderr
    assert "--results" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not command_line.qemus()


@pytest.mark.parametrize("numbers", [(signal.SIGINT,), (signal.SIGINT, signal.SIGTERM)])
def test_interrupted_run_leaves_nothing(
    command_line: CommandLine, minimal: Path, numbers: tuple[signal.Signals, ...]
) -> None:
    process = command_line.start("run", str(minimal), "--repeat", "3")
    wait_for(command_line.guests, "a running guest")
    for number in numbers:
        process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert "Traceback" not in stdout + stderr
    assert not command_line.qemus()
    assert not command_line.work_folders()
    assert command_line.run("clean").stdout.strip() == "nothing was left"


def test_results_survive_an_interrupt(command_line: CommandLine, minimal: Path, tmp_path: Path) -> None:
    process = command_line.start("run", str(minimal), "--repeat", "9", "-j", "1", "--level", "machine")
    summary = tmp_path / "results" / "latest" / "run.json"
    wait_for(summary.is_file, "the first result")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    results = json.loads(summary.read_text())["results"]
    assert 1 <= len(results) < 9
    assert all(result["verdict"] == "stable" for result in results)


def test_killed_run_is_cleaned_up(command_line: CommandLine, minimal: Path) -> None:
    minimal.write_text(MINIMAL.replace("instance:", 'instance:\n  properties: {hw_tpm_version: "2.0"}'))
    process = command_line.start("run", str(minimal))
    wait_for(command_line.guests, "a running guest")
    process.kill()
    process.communicate(timeout=60)
    assert command_line.guests(), "the guest of a killed run lives on, or this test shows nothing"
    doctor = command_line.run("doctor")
    assert "QEMU process" in doctor.stdout
    assert doctor.returncode == 3
    cleaned = command_line.run("clean")
    assert "removed domain rh-" in cleaned.stdout
    assert "server process" in cleaned.stdout, "swtpm"
    assert not command_line.qemus()
    assert not list(command_line.cache.glob("hv/*/lib/swtpm/*"))
    assert not command_line.work_folders()


def test_next_run_cleans_up_after_a_killed_one(command_line: CommandLine, minimal: Path) -> None:
    process = command_line.start("run", str(minimal))
    wait_for(command_line.guests, "a running guest")
    process.kill()
    process.communicate(timeout=60)
    done = command_line.run("run", str(minimal), "--level", "machine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "removed what an earlier run left: domain rh-" in done.stdout
    assert not command_line.qemus()
