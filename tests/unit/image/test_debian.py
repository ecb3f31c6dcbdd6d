"""The Debian images' recipe, and what keeps its build from this host."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.image.debian import DebianRecipe, contained
from harness.image.media import MIB
from harness.image.recipe import recipe_folder, recipe_hash


def test_disks_share_no_identifier() -> None:
    recipe = DebianRecipe.load(recipe_folder() / "debian")
    disks = (recipe.instance, recipe.rescue, recipe.volumes)
    own = [value for disk in disks for value in (disk.root_uuid, disk.disk_signature, disk.boot.uuid, disk.boot.label)]
    assert len(own) == len(set(own))
    for disk in (recipe.instance, recipe.rescue):
        assert recipe.boot_disk(disk).command_line.endswith(f"root=UUID={disk.root_uuid}")


def test_the_encrypted_partition_is_told_by_its_partuuid_and_fits() -> None:
    recipe = DebianRecipe.load(recipe_folder() / "debian")
    layout = recipe.encrypted_disk(5 * MIB + 1)
    assert layout.root_bytes == 6 * MIB
    assert f"harness.encrypted={recipe.volumes.disk_signature:08x}-02" in layout.command_line.split()
    assert recipe.key_path.read_bytes().strip()


def test_the_other_guest_is_not_built_anew_for_the_debian_recipe(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("")
    before = recipe_hash(tmp_path)
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "recipe.toml").write_text("")
    assert recipe_hash(tmp_path) == before
    assert recipe_hash(tmp_path / "debian") != recipe_hash(tmp_path / "debian", ())


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's mmdebstrap mounts in this host's namespace")
_BUILD = """\
import sys
from harness.image.command import run
from harness.image.debian import contained
run(*contained(), "sh", "-c", f"mount -t tmpfs none {sys.argv[1]} && touch {sys.argv[1]}/made && sleep 60")
"""


def mount_points() -> str:
    return Path("/proc/self/mountinfo").read_text()


@as_root
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_mounts_nothing_on_this_host_and_ends_with_the_harness(tmp_path: Path, end: signal.Signals) -> None:
    command = [sys.executable, "-c", _BUILD, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as harness:
        inside = wait_for_build(harness.pid)
        assert (Path(f"/proc/{inside.pid}/root") / tmp_path.relative_to("/") / "made").exists()
        assert str(tmp_path) not in mount_points()
        assert list(tmp_path.iterdir()) == []
        harness.send_signal(end)
    gone, _ = psutil.wait_procs([inside], timeout=10)
    assert gone == [inside]


def wait_for_build(pid: int) -> psutil.Process:
    """The build's last process, which runs once everything is mounted."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(pid).children(recursive=True):
                if process.name() == "sleep":
                    return process
        time.sleep(0.05)
    raise AssertionError("the build has not started")


_CLEANING = """\
mount -t tmpfs none "$1/building-x/mounted"
touch "$1/building-x/mounted/precious"
"$2" -c "$3" "$1"
ls "$1/building-x/mounted"
"""
_OBTAIN = """\
import sys
from pathlib import Path
from harness.image.cache import ImageCache
from harness.image.image_set import ImageSet, FILES
def build(inputs, target, work, say):
    for name in FILES:
        (target / name).write_bytes(b"")
ImageCache(Path(sys.argv[1]), build, print, read=ImageSet.read).obtain("recipe", {})
"""


@as_root
def test_a_leftover_with_something_mounted_is_not_reached_into(tmp_path: Path) -> None:
    (tmp_path / "building-x" / "mounted").mkdir(parents=True)
    (tmp_path / "building-y").mkdir()
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)
    command = [*contained(), "sh", "-euc", _CLEANING, "sh", str(link), sys.executable, _OBTAIN]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "building-x is left as it is: something is mounted below it" in told
    assert told.splitlines()[-1] == "precious"
    assert not (tmp_path / "building-y").exists()
    link.unlink()
