"""Which OVMF build a machine gets, by QEMU's firmware descriptors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HostError
from harness.hypervisor.firmware import find_uefi

SECURE = ["requires-smm", "secure-boot", "enrolled-keys"]


def write_descriptor(folder: Path, name: str, features: list[str], machines: list[str]) -> None:
    files = {kind: folder / f"{name}.{kind}.fd" for kind in ("code", "variables")}
    for path in files.values():
        path.touch()
    descriptor = {
        "interface-types": ["uefi"],
        "mapping": {
            "device": "flash",
            "executable": {"filename": str(files["code"])},
            "nvram-template": {"filename": str(files["variables"])},
        },
        "targets": [{"architecture": "x86_64", "machines": machines}],
        "features": features,
    }
    (folder / f"{name}.json").write_text(json.dumps(descriptor))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_descriptor(tmp_path, "40-enrolled", ["acpi-s3", *SECURE], ["pc-q35-*"])
    write_descriptor(tmp_path, "50-without-keys", SECURE[:2], ["pc-q35-*"])
    write_descriptor(tmp_path, "60-plain", ["acpi-s3"], ["pc-i440fx-*", "pc-q35-*"])
    return tmp_path


@pytest.mark.parametrize(
    ("machine", "secure_boot", "build"),
    [
        ("pc", False, "60-plain"),
        ("q35", False, "60-plain"),
        ("q35", True, "40-enrolled"),
        ("pc-q35-7.2", True, "40-enrolled"),
    ],
)
def test_build_fits_machine_and_secure_boot(folder: Path, machine: str, build: str, *, secure_boot: bool) -> None:
    found = find_uefi(machine, secure_boot=secure_boot, folders=(folder,))
    assert found.code_path == folder / f"{build}.code.fd"
    assert found.variables_template_path == folder / f"{build}.variables.fd"


def test_secure_boot_takes_enrolled_keys(folder: Path) -> None:
    (folder / "40-enrolled.json").unlink()
    with pytest.raises(HostError, match="no UEFI firmware with secure boot for q35") as error:
        find_uefi("q35", secure_boot=True, folders=(folder,))
    assert error.value.hint == "install the package ovmf"
