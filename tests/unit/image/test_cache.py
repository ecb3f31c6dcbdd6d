"""The cache of image sets, with a builder that writes a few bytes instead of building for real."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from harness.errors import HostError
from harness.image import cache as cache_module
from harness.image.cache import Build, ImageCache, Progress, cache_root, obtain_images
from harness.image.image_set import FILES, ImageSet, write_floppy
from harness.image.packages import PackagesUnavailableError
from harness.image.recipe import Recipe, recipe_folder, recipe_hash, set_key

INPUTS = {"kernel": "6.1", "shell": "1.35"}


class FakeBuilder:
    """Counts builds, across processes as well: one line in a file each."""

    def __init__(self, log: Path, *, duration_s: float = 0.0) -> None:
        self._log = log
        self._duration_s = duration_s

    @property
    def builds(self) -> int:
        return len(self._log.read_text().splitlines()) if self._log.exists() else 0

    def __call__(self, inputs: dict[str, str], target: Path, work: Path, say: object) -> None:
        with self._log.open("a") as log:
            log.write("build\n")
        (work / "scratch").write_text("only needed meanwhile")
        time.sleep(self._duration_s)
        for name in FILES:
            (target / name).write_bytes(f"{name} from {inputs} set port @PORT@\n".encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def builder(tmp_path: Path) -> FakeBuilder:
    return FakeBuilder(tmp_path / "log")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_verified", set())


def image_cache(folder: Path, build: Build, say: Progress = lambda _message: None) -> ImageCache[ImageSet]:
    return ImageCache(folder, build, say, read=ImageSet.read)


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"lock"}


def forget_verification() -> None:
    cache_module._verified.clear()


@pytest.mark.parametrize(
    ("recipe", "inputs"),
    [
        pytest.param("other", INPUTS, id="recipe"),
        pytest.param("recipe", {**INPUTS, "shell": "1.36"}, id="version"),
        pytest.param("recipe", {**INPUTS, "editor": "9"}, id="package added"),
        pytest.param("recipe", {"kernel": "6.1"}, id="package gone"),
    ],
)
def test_key_changes_with(recipe: str, inputs: dict[str, str]) -> None:
    assert set_key(recipe, inputs) != set_key("recipe", INPUTS)


def test_key_does_not_depend_on_the_order_of_packages() -> None:
    assert set_key("recipe", dict(reversed(INPUTS.items()))) == set_key("recipe", INPUTS)


def test_recipe_hash_changes_with_content_name_and_number_of_files(tmp_path: Path) -> None:
    seen = {recipe_hash(tmp_path)}
    (tmp_path / "init").write_text("one")
    seen.add(recipe_hash(tmp_path))
    (tmp_path / "init").write_text("two")
    seen.add(recipe_hash(tmp_path))
    (tmp_path / "init").rename(tmp_path / "start")
    seen.add(recipe_hash(tmp_path))
    assert len(seen) == 4


def test_recipe_hash_ignores_hidden_files(tmp_path: Path) -> None:
    before = recipe_hash(tmp_path)
    (tmp_path / ".init.swp").write_text("an editor's")
    assert recipe_hash(tmp_path) == before


def test_set_is_built_once_and_found_again(folder: Path, builder: FakeBuilder) -> None:
    first = image_cache(folder, builder).obtain("recipe", INPUTS)
    forget_verification()
    second = image_cache(folder, builder).obtain("recipe", INPUTS)
    assert first == second
    assert builder.builds == 1
    assert first.inputs == INPUTS
    assert entries(folder) == {first.directory.name}


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("damage", ["changed", "truncated", "missing"])
def test_damaged_set_is_noticed_and_rebuilt(folder: Path, builder: FakeBuilder, name: str, damage: str) -> None:
    image_set = image_cache(folder, builder).obtain("recipe", INPUTS)
    path = image_set.directory / name
    good = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(good[:-3] if damage == "truncated" else b"#" + good[1:])
    forget_verification()
    messages: list[str] = []
    with pytest.warns(UserWarning, match="damaged"):
        again = image_cache(folder, builder, messages.append).obtain("recipe", INPUTS)
    assert again == image_set
    assert path.read_bytes() == good
    assert builder.builds == 2
    assert any(name in message for message in messages)
    assert entries(folder) == {image_set.directory.name}


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        pytest.param(HostError("mcopy failed"), "mcopy failed", id="tool"),
        pytest.param(OSError(28, "No space left on device"), "No space left", id="disk full"),
    ],
)
def test_failed_build_leaves_nothing_and_says_why(folder: Path, failure: Exception, expected: str) -> None:
    def build(inputs: dict[str, str], target: Path, work: Path, say: object) -> None:
        (target / FILES[0]).write_bytes(b"half")
        raise failure

    with pytest.raises(HostError, match=expected):
        image_cache(folder, build).obtain("recipe", INPUTS)
    assert entries(folder) == set()


def test_interrupted_build_leaves_nothing(folder: Path) -> None:
    def build(inputs: dict[str, str], target: Path, work: Path, say: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        image_cache(folder, build).obtain("recipe", INPUTS)
    assert entries(folder) == set()


def test_leftover_of_a_killed_build_goes_with_the_next(folder: Path, builder: FakeBuilder) -> None:
    leftover = folder / "building-x" / "set"
    leftover.mkdir(parents=True)
    (leftover / "vmlinuz").write_bytes(b"half")
    image_set = image_cache(folder, builder).obtain("recipe", INPUTS)
    assert entries(folder) == {image_set.directory.name}


def test_threads_asking_at_once_build_once(folder: Path, tmp_path: Path) -> None:
    builder = FakeBuilder(tmp_path / "log", duration_s=0.2)
    results: list[ImageSet] = []
    threads = [
        threading.Thread(target=lambda: results.append(image_cache(folder, builder).obtain("recipe", INPUTS)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert builder.builds == 1
    assert len(results) == 4
    assert len(set(map(str, results))) == 1


def _obtain_in_process(folder: Path, log: Path) -> None:
    image_cache(folder, FakeBuilder(log, duration_s=0.3)).obtain("recipe", INPUTS)


def test_processes_asking_at_once_build_once(folder: Path, builder: FakeBuilder, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_obtain_in_process, args=(folder, tmp_path / "log")) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=20)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert builder.builds == 1


def test_sets_unused_for_long_are_removed_and_others_kept(folder: Path, builder: FakeBuilder) -> None:
    cache = image_cache(folder, builder)
    old = cache.obtain("old", INPUTS).directory
    recent = cache.obtain("recent", INPUTS).directory
    long_ago = time.time() - 31 * 86400
    os.utime(old, (long_ago, long_ago))
    current = cache.obtain("current", INPUTS).directory
    assert entries(folder) == {recent.name, current.name}


def test_without_package_lists_a_set_of_the_same_recipe_serves(
    tmp_path: Path, builder: FakeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_CACHE", str(tmp_path))

    def no_lists(recipe: Recipe, memory: Path) -> dict[str, str]:
        raise PackagesUnavailableError("apt knows no version of linux-image-amd64")

    monkeypatch.setattr(cache_module, "resolve_inputs", no_lists)
    with pytest.raises(HostError, match="apt-get update"):
        obtain_images()
    cache = image_cache(tmp_path / "images", builder)
    cache.obtain("another recipe", INPUTS)
    expected = cache.obtain(recipe_hash(recipe_folder()), INPUTS)
    messages: list[str] = []
    assert obtain_images(messages.append) == expected
    assert "apt knows no version" in messages[-1]


def test_cache_root_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESCUE_HARNESS_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("RESCUE_HARNESS_CACHE")
    assert cache_root().name == "rescue-harness"


def test_floppy_copy_gets_the_port_and_keeps_its_size(folder: Path, builder: FakeBuilder, tmp_path: Path) -> None:
    image_set = image_cache(folder, builder).obtain("recipe", INPUTS)
    target = tmp_path / "floppy.img"
    write_floppy(image_set, target, 8080)
    assert b"set port 8080  \n" in target.read_bytes()
    assert target.stat().st_size == image_set.floppy.stat().st_size
    image_set.verify()


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_floppy_refuses_what_is_no_port(folder: Path, builder: FakeBuilder, tmp_path: Path, port: int) -> None:
    image_set = image_cache(folder, builder).obtain("recipe", INPUTS)
    with pytest.raises(HostError, match="not a TCP port"):
        write_floppy(image_set, tmp_path / "floppy.img", port)


def test_each_medium_says_on_the_command_line_what_it_is() -> None:
    recipe = Recipe.load(recipe_folder())
    instance = recipe.boot_configuration("syslinux.cfg", recipe.instance).decode()
    instance_iso = recipe.boot_configuration("grub.cfg", recipe.instance_iso).decode()
    rescue = recipe.boot_configuration("grub.cfg", recipe.rescue).decode()
    floppy = recipe.boot_configuration("boot.ipxe", recipe.floppy).decode()
    assert f"harness.medium=instance root=UUID={recipe.instance.uuid}" in instance
    assert f"harness.medium=instance root=UUID={recipe.instance_iso.uuid}" in instance_iso
    assert f"harness.medium=rescue root=UUID={recipe.rescue.uuid}" in rescue
    assert f"harness.medium=rescue root=UUID={recipe.floppy.uuid}" in floppy
    assert "@CMDLINE@" not in instance + rescue + floppy
