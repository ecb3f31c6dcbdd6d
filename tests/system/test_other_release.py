"""The releases that README names, but for this host's own: from a fresh root of each to a rescued guest."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from harness.errors import HostError
from harness.image.command import search_path
from harness.image.debian import contained
from harness.image.packages import PackagesUnavailableError
from harness.image.releases import Release, tried_releases

from .support.other_release import OtherRoot, other_root

HERE = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
OTHERS = [release for release in tried_releases() if release.codename != HERE]

# GRUB, firmware, a loader of each kind in the images, and the one package that only some releases have.
SCENARIO = """\
name: other-release
summary: A UEFI guest with a virtiofs share, rescued from a virtio disk
instance:
  machine: q35
  firmware: uefi
  devices: [virtiofs]
  disks: [{role: root}, {role: volume}]
rescue_image:
  properties: {hw_rescue_bus: virtio}
expect: stable
"""


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Downloads for this test alone, or kept from one run to the next."""
    return Path(os.environ.get("RESCUE_HARNESS_TEST_DATA", tmp_path)) / "other-release"


def missing_here() -> str | None:
    """What a root of another release takes and this host lacks."""
    if os.geteuid() != 0:
        return "a root of another release takes root"
    if HERE not in {release.codename for release in tried_releases()}:
        return f"this host's release, {HERE or 'without a codename'}, is none of those that README names"
    if shutil.which("mmdebstrap", path=search_path()) is None:
        return "mmdebstrap is not installed"
    return None if "unshare" in contained() else "this host gives root no namespaces"


def set_up_and_rescue(root: OtherRoot, release: Release) -> None:
    root.run("make", ".setup/environment", timeout_s=1200)
    told = root.run(".venv/bin/rescue-harness", "doctor", timeout_s=900)
    for version in (f"version {release.qemu}.", f" {release.libvirt}.", f"linux-image-{release.kernel}."):
        assert version in told, told
    (root.path / "src" / "other.yaml").write_text(SCENARIO)
    ran = root.run(".venv/bin/rescue-harness", "run", "--keep-going", "other.yaml", timeout_s=900)
    assert "1 as expected; " in ran, ran


@pytest.mark.parametrize("release", OTHERS, ids=lambda release: release.codename)
def test_fresh_host_is_set_up_and_rescues_a_guest(release: Release, tmp_path: Path, downloads: Path) -> None:
    if reason := missing_here():
        pytest.skip(reason)
    kept = downloads / release.codename
    kept.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(kept / "lock"), other_root(tmp_path, HERE, release.codename, kept) as root:
            set_up_and_rescue(root, release)
    except HostError as error:
        unreachable = "apt-get update" in error.message or "Failed to fetch" in error.message
        if not (unreachable or isinstance(error, PackagesUnavailableError)):
            raise
        pytest.skip(f"no packages of {release.name} can be had: {error.message}")
    left = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(tmp_path) in line]
    assert left == []
    assert not (tmp_path / release.codename).exists()
