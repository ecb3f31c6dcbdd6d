"""The table of releases, which the set-up, the documents and the harness go by."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.image.releases import TABLE_PATH, Release, known_releases, tried_releases

PROJECT = Path(__file__).parents[3]
INSTALL = PROJECT / "bin" / "install-packages"
HEAD = """\
| release | codename | tried | QEMU | libvirt | kernel | GRUB | packages besides |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
SHIM = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$LOG"
"""


def test_row_becomes_a_release() -> None:
    row = "trixie | Debian 13 | yes | 10.0 | 11.3 | 6.12 | 2.12 | virtiofsd passt"
    assert Release.of_row(row) == Release(
        "trixie", "Debian 13", True, "10.0", "11.3", "6.12", "2.12", ("virtiofsd", "passt")
    )


def test_both_debians_are_tried_and_ubuntu_is_not() -> None:
    assert [release.name for release in tried_releases()] == ["Debian 12", "Debian 13"]
    assert "Ubuntu 24.04" in [release.name for release in known_releases()]


def test_page_has_the_table() -> None:
    rows = "".join(markdown_row(release) for release in known_releases())
    assert HEAD + rows in (PROJECT / "docs" / "start" / "hosts.md").read_text()


def markdown_row(release: Release) -> str:
    packages = ", ".join(f"`{package}`" for package in release.packages_besides) or "none"
    tried = "yes" if release.is_tried else "no"
    versions = f"{release.qemu} | {release.libvirt} | {release.kernel} | {release.grub}"
    return f"| {release.name} | `{release.codename}` | {tried} | {versions} | {packages} |\n"


def installed(tmp_path: Path, codename: str) -> tuple[list[str], str]:
    """The packages that bin/install-packages has installed on a bare host of a release, and what it complains of."""
    shims = tmp_path / "bin"
    shims.mkdir()
    for name in ("apt-get", "dpkg-query"):
        (shims / name).write_text(SHIM)
        (shims / name).chmod(0o755)
    (shims / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (shims / "sudo").chmod(0o755)
    os_release, log = tmp_path / "os-release", tmp_path / "log"
    os_release.write_text(f'NAME="Somebody\'s Linux"\nVERSION_CODENAME={codename}\n')
    variables = os.environ | {"PATH": f"{shims}:{os.environ['PATH']}", "LOG": str(log), "OS_RELEASE": str(os_release)}
    command = [INSTALL, PROJECT / "packages-debian.txt", TABLE_PATH]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    (line,) = (line for line in log.read_text().splitlines() if line.startswith("apt-get install"))
    return [word for word in line.split()[2:] if not word.startswith("-")], done.stderr


@pytest.mark.parametrize("release", known_releases(), ids=lambda release: release.codename)
def test_a_bare_host_is_given_what_its_release_takes(tmp_path: Path, release: Release) -> None:
    packages, complaint = installed(tmp_path, release.codename)
    of_all = [line for line in (PROJECT / "packages-debian.txt").read_text().splitlines() if not line.startswith("#")]
    assert packages == [*of_all, *release.packages_besides]
    assert complaint == ""


def test_an_unknown_release_is_told_and_given_what_all_take(tmp_path: Path) -> None:
    packages, complaint = installed(tmp_path, "forky")
    assert "qemu-system-x86" in packages
    assert "virtiofsd" not in packages
    assert "'forky' is not in" in complaint
