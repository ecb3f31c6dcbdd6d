"""Boot loaders found among unpacked packages, wherever a release keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HostError
from harness.image.loaders import Loaders
from harness.image.recipe import Recipe, recipe_folder

PACKAGES = {"ipxe.lkrn": "ipxe", "bios/ldlinux.c32": "syslinux-common"}


def unpacked(root: Path, *names: str) -> Loaders:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return Loaders(root, PACKAGES)


@pytest.mark.parametrize("place", ["boot/ipxe.lkrn", "usr/lib/ipxe/ipxe.lkrn"])
def test_loader_is_found_wherever_its_package_has_it(tmp_path: Path, place: str) -> None:
    assert unpacked(tmp_path, place, "usr/share/doc/ipxe/ipxe.lkrn.txt").read("ipxe.lkrn") == place.encode()


def test_folder_before_the_name_tells_files_of_one_name_apart(tmp_path: Path) -> None:
    modules = "usr/lib/syslinux/modules"
    loaders = unpacked(tmp_path, f"{modules}/bios/ldlinux.c32", f"{modules}/efi64/ldlinux.c32")
    assert loaders.find("bios/ldlinux.c32") == tmp_path / modules / "bios/ldlinux.c32"


def test_link_out_of_the_packages_is_not_followed(tmp_path: Path) -> None:
    """Debian 12's ipxe has usr/lib/ipxe/ipxe.lkrn as a link to /boot, which is this host's own."""
    host = tmp_path / "host"
    host.write_text("this host's")
    root = tmp_path / "root"
    loaders = unpacked(root, "usr/boot/ipxe.lkrn")
    (root / "boot").mkdir()
    (root / "boot" / "ipxe.lkrn").symlink_to(host)
    assert loaders.find("ipxe.lkrn") == root / "usr/boot/ipxe.lkrn"


def test_missing_loader_is_told_with_package_and_file(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"the package ipxe has no file ipxe\.lkrn") as caught:
        unpacked(tmp_path).find("ipxe.lkrn")
    assert caught.value.hint is not None
    assert "Debian 12 and Debian 13" in caught.value.hint
    assert "images/recipe.toml" in caught.value.hint


def test_every_loader_of_the_recipe_has_one_package() -> None:
    recipe = Recipe.load(recipe_folder())
    assert set(recipe.loader_packages) == set(recipe.loaders.values())
    assert recipe.loaders["ipxe.lkrn"] == "ipxe"
