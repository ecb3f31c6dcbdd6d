"""Devices that take a process beside QEMU, as the guest has them before and while it is rescued."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.guest.booted import BootedGuest
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_instance
from harness.reading.cases import collect_cases
from harness.run.session import Session

SCENARIO = """\
name: helpers
summary: A TPM and a virtiofs share
instance:
  machine: q35
  devices: [virtiofs]
  properties: {hw_tpm_version: "2.0", hw_usb_model: qemu-xhci}
  disks: [{role: root}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""
READ_SHARE = "mkdir -p /run/share && mount -t virtiofs virtiofs-share /run/share && cat /run/share/note"


def said(guest: BootedGuest, command: str) -> str:
    done = guest.run(command)
    assert done.exit_status == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@pytest.mark.skipif(os.getuid() != 0, reason="libvirt has virtiofs for root only")
def test_share_and_tpm_work_in_both_guests_and_nothing_is_left(own_session: Session, tmp_path: Path) -> None:
    path = tmp_path / "helpers.yaml"
    path.write_text(SCENARIO)
    (case,) = collect_cases([path], Reference())
    root = own_session.hypervisor.root.path
    with prepared_instance(case, own_session) as ready:
        placement = ready.life_cycle.placement
        share = placement.share_path
        assert share is not None
        (share / "note").write_text("from the host")
        image = case.point.scenario.rescue_image
        for boot in (ready.life_cycle.start, lambda: ready.life_cycle.rescue(image)):
            guest = boot()
            assert said(guest, READ_SHARE) == "from the host"
            assert said(guest, "cat /sys/class/tpm/tpm0/tpm_version_major") == "2"
            assert said(guest, "readlink /sys/class/tpm/tpm0/device/driver").endswith("/tpm_tis")
        helpers = (f"lib/swtpm/{placement.uuid}", f"log/*/{placement.domain_name}-*.log")
        assert all(list(root.glob(pattern)) for pattern in helpers)
    for left in (*helpers, f"run/swtpm/*{placement.domain_name}*"):
        assert not list(root.glob(left))
