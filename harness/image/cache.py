"""Image sets kept from run to run, under a name that says what they were made from."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import psutil
from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from harness.errors import HostError
from harness.image.build import build_images
from harness.image.image_set import DamagedSetError, ImageSet, write_manifest
from harness.image.packages import PackagesUnavailableError, resolve_inputs
from harness.image.recipe import Recipe, recipe_folder, recipe_hash, set_key

Progress = Callable[[str], None]
Build = Callable[[dict[str, str], Path, Path, Progress], None]
"""Writes a set's files: inputs, folder for the set, folder for what is only needed meanwhile, progress."""

UNUSED_DAYS = 30
_BUILDING_PREFIX = "building-"
_SECONDS_PER_DAY = 86400


def cache_root() -> Path:
    """Return the harness's cache folder: RESCUE_HARNESS_CACHE, or a folder in the user's cache folder."""
    chosen = os.environ.get("RESCUE_HARNESS_CACHE")
    return Path(chosen).absolute() if chosen else user_cache_path("rescue-harness")


def say_nothing(message: str) -> None:
    """Discard a message, for callers who want no progress."""
    del message


class CachedSet(Protocol):
    """Images that belong together, in a folder with a manifest."""

    @property
    def directory(self) -> Path:
        """The set's folder."""

    @property
    def recipe(self) -> str:
        """The hash of the recipe."""

    def verify(self) -> None:
        """Raise DamagedSetError unless the files match the manifest."""


S = TypeVar("S", bound=CachedSet)
_verified: set[Path] = set()
"""Sets that this process has checked."""


class ImageCache(Generic[S]):
    """Sets below ``folder``, built by ``build`` when missing or damaged, read by ``read`` (which raises
    DamagedSetError). Safe between threads and processes.
    """

    def __init__(
        self, folder: Path, build: Build, progress: Progress = say_nothing, *, read: Callable[[Path], S]
    ) -> None:
        self._folder = folder
        self._build = build
        self._say = progress
        self._read = read

    def obtain(self, recipe: str, inputs: dict[str, str]) -> S:
        """Return the set made from ``recipe`` (its hash) and ``inputs``, building it first if need be.

        Raises HostError if the build fails; nothing of it then remains.
        """
        directory = self._folder / set_key(recipe, inputs)
        image_set = self._usable(directory)
        if image_set is None:
            with self._locked():
                image_set = self._usable(directory) or self._rebuild(directory, recipe, inputs)
                self._remove_unused(directory)
        os.utime(directory)
        return image_set

    def obtain_for(self, recipe: str, resolve: Callable[[], dict[str, str]]) -> S:
        """Return the set made from ``recipe`` and the packages that ``resolve`` finds, as ``obtain`` does.

        Without package lists, or when a package cannot be fetched, a set made from the same recipe serves.

        Raises PackagesUnavailableError if there is none, HostError if the build fails.
        """
        try:
            return self.obtain(recipe, resolve())
        except PackagesUnavailableError as error:
            image_set = self._newest_of(recipe)
            if image_set is None:
                raise
            self._say(f"images: {error.message}; using the set in {image_set.directory}")
            return image_set

    def _newest_of(self, recipe: str) -> S | None:
        """Return the most recently used usable set among those made from ``recipe``, whatever the packages."""
        manifests = self._folder.glob("*/manifest.json")
        for directory in sorted((path.parent for path in manifests), key=_last_use, reverse=True):
            image_set = self._usable(directory)
            if image_set is not None and image_set.recipe == recipe:
                os.utime(directory)
                return image_set
        return None

    def _usable(self, directory: Path) -> S | None:
        if not directory.is_dir() or directory.name.startswith(_BUILDING_PREFIX):
            return None
        try:
            image_set = self._read(directory)
            if directory not in _verified:
                image_set.verify()
        except DamagedSetError as error:
            warnings.warn(f"image set is damaged: {error.message}", stacklevel=4)
            self._say(f"images: {error.message}")
            return None
        _verified.add(directory)
        return image_set

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / "lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._say("images: waiting for another process to build them")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _rebuild(self, directory: Path, recipe: str, inputs: dict[str, str]) -> S:
        for leftover in self._folder.glob(f"{_BUILDING_PREFIX}*"):
            if _has_mounts(leftover):
                self._say(f"images: {leftover} is left as it is: something is mounted below it")
            else:
                shutil.rmtree(leftover, ignore_errors=True)
        started = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix=_BUILDING_PREFIX, dir=self._folder) as name:
                target, work = Path(name, "set"), Path(name, "work")
                target.mkdir()
                work.mkdir()
                self._build(inputs, target, work, self._say)
                write_manifest(target, recipe, inputs)
                if directory.exists():
                    directory.rename(Path(name, "damaged"))
                target.rename(directory)
        except OSError as error:
            raise HostError(
                f"building the images failed: {error}", hint=f"is there room and permission in {self._folder}?"
            ) from error
        _verified.add(directory)
        self._say(f"images: built in {time.monotonic() - started:.0f} s")
        return self._read(directory)

    def _remove_unused(self, current: Path) -> None:
        oldest = time.time() - UNUSED_DAYS * _SECONDS_PER_DAY
        for manifest in self._folder.glob("*/manifest.json"):
            directory = manifest.parent
            if directory != current and _last_use(directory) < oldest:
                shutil.rmtree(directory, ignore_errors=True)


def _has_mounts(folder: Path) -> bool:
    """Tell whether a file system is mounted below a folder: removing the folder would remove files on it."""
    real = folder.resolve()
    return any(Path(mounted.mountpoint).is_relative_to(real) for mounted in psutil.disk_partitions(all=True))


def _last_use(directory: Path) -> float:
    return directory.stat().st_mtime


def obtain_images(progress: Progress = say_nothing) -> ImageSet:
    """Return the image set for the present recipes and Debian packages, built if it is not cached.

    Without package lists, or when a package cannot be fetched, a cached set made from the same recipes serves.
    Raises HostError if there is none.
    """
    root = cache_root()
    folder = recipe_folder()
    recipe = Recipe.load(folder)

    def build(inputs: dict[str, str], target: Path, work: Path, say: Progress) -> None:
        build_images(recipe, inputs, target, work, say)

    cache = ImageCache(root / "images", build, progress, read=ImageSet.read)
    return cache.obtain_for(recipe_hash(folder), lambda: resolve_inputs(recipe, root / "packages.json"))
