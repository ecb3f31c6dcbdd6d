"""What is on a config drive, in both of its formats."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pycdlib
import pytest

from harness.domain.disk_mapping import map_disks
from harness.guest.keys import make_run_key
from harness.guest.login import Login
from harness.guest.seed import Seed
from harness.image.content import ImageContent
from harness.instance.storage.base_image import BaseImage, BaseImages
from harness.instance.storage.disk_factory import DiskFactory
from harness.instance.storage.volume_resources import VolumeResources
from harness.scenario.models import Instance

Reader = Callable[[Path, str], bytes | None]
NAMES = ("meta_data.json", "user_data")


def made(folder: Path, form: str, seed: Seed | None) -> Path:
    image = folder / "image.raw"
    image.write_bytes(bytes(1024 * 1024))
    base = BaseImage(ImageContent.of_raw(image), Login(make_run_key().key))
    instance = Instance.model_validate({"disks": [{"role": "root"}, {"role": "config_drive", "format": form}]})
    with ExitStack() as held:
        volumes = VolumeResources(folder, folder, held)
        tokens = {"root": "0" * 32, "config_drive": "1" * 32}
        factory = DiskFactory(folder, BaseImages(base, base), tokens, volumes, seed)
        return factory.make_instance_disks(map_disks(instance))["config_drive"].path


def read_iso(path: Path, name: str) -> bytes | None:
    iso, content = pycdlib.PyCdlib(), io.BytesIO()
    iso.open(str(path))
    try:
        iso.get_file_from_iso_fp(content, rr_path=f"/openstack/latest/{name}")
        return content.getvalue()
    except pycdlib.pycdlibexception.PyCdlibInvalidInput:
        return None
    finally:
        iso.close()


def read_vfat(path: Path, name: str) -> bytes | None:
    done = subprocess.run(["mtype", "-i", str(path), f"::openstack/latest/{name}"], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize(("form", "read"), [("iso9660", read_iso), ("vfat", read_vfat)])
def test_config_drive_has_the_account_for_cloud_init(tmp_path: Path, form: str, read: Reader) -> None:
    path = made(tmp_path, form, Seed("5e5c0e00", "#cloud-config\n{}\n"))
    meta_data, user_data = (read(path, name) for name in NAMES)
    assert json.loads(meta_data or b"")["uuid"] == "5e5c0e00"
    assert user_data == b"#cloud-config\n{}\n"


@pytest.mark.parametrize(("form", "read"), [("iso9660", read_iso), ("vfat", read_vfat)])
def test_config_drive_has_no_user_data_where_none_are_needed(tmp_path: Path, form: str, read: Reader) -> None:
    path = made(tmp_path, form, None)
    meta_data, user_data = (read(path, name) for name in NAMES)
    assert json.loads(meta_data or b"")["uuid"] == "config-drive"
    assert user_data is None
