"""Upstream Nova 34 at level guest: its own spawn, rescue and unrescue on real QEMU, in four boots."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from .conftest import CommandLine
from .nova_instances import NOVA
from .test_nova import CDROM, DISKS

FULL = f"""\
name: full
summary: All kinds of disks, rescued from a virtio disk, behind which Nova moves balloon and RNG
{DISKS}rescue_image:
  properties: {{hw_rescue_bus: virtio}}
expect:
  - when: {{implementation: nova, nova: ">=27"}}
    verdict: moved
    findings:
      - {{claim: other-hardware, device: "0000:*"}}
"""


def test_nova_boots_what_its_driver_makes(nova_line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name, text in (("full", FULL), ("cdrom", CDROM)):
        (folder / f"{name}.yaml").write_text(text)
    words = (
        "--implementation",
        NOVA,
        "--jobs",
        "1",
        "--boot-timeout",
        "300",
        "--keep-going",
        "--results",
        "out",
        "scenarios",
    )
    ran = nova_line.run("run", "--level", "guest", *words, timeout_s=1500)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (run,) = (tmp_path / "out").glob("2*/run.json")
    results = {each["case"]: each for each in json.loads(run.read_text())["results"]}

    moved = results[f"full@{NOVA}"]
    assert moved["verdict"] == "moved"
    boot_ids = [boot["boot_id"] for boot in moved["boots"]]
    assert len(set(boot_ids)) == len(boot_ids) >= 3
    rescued = json.loads((run.parent / moved["artefacts"] / "rescued" / "inventory.json").read_text())
    held = {device["marker"]["disk"]: device for device in rescued["block_devices"] if device["marker"]}
    assert set(held) == {"root", "ephemeral0", "swap", "volume1", "config_drive", "rescue"}
    assert held["rescue"]["mounted_at"], "the guest runs from the rescue disk"

    refused = results[f"cdrom@{NOVA}"]["refusal"]
    assert (refused["refused_by"], refused["guest"]) == ("libvirt", "shut-off")
    became = "destroyed the guest, which stays off, and leaves the instance in ERROR"
    assert refused["reason"].endswith(f"; {NOVA} has by then {became}")

    assert nova_line.work_folders() == []
    assert nova_line.qemus() == []
    names = {process.info["name"] for process in psutil.process_iter(["name", "cmdline"]) if _is_of(process, nova_line)}
    assert names == set()


def _is_of(process: psutil.Process, line: CommandLine) -> bool:
    return any(str(line.cache) in word for word in process.info["cmdline"] or ())
