"""Write and read a disk's file on the host, in any format, encrypted or not, in use by a server or not.

The formats and their options are described in qemu-img(1), "Notes", and in QEMU's BlockdevOptions (QMP reference),
which the ``json:`` file names contain.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenacity import retry, retry_if_exception_message, stop_after_attempt

from harness.domain.placement import DiskSource
from harness.image.command import run

_PASSPHRASE = "passphrase"  # noqa: S105 - the id under which QEMU's tools know the secret
_UNLOCK_MS = 10
"""The time to derive the key from the passphrase: short, because QEMU derives it at every open to protect nothing."""


def create_image(source: DiskSource, size_bytes: int) -> None:
    """Make a blank disk.

    Raises:
        HostError: qemu-img is missing or fails.
    """
    if _is_plain(source):
        with source.path.open("wb") as file:
            file.truncate(size_bytes)
        return
    command = ("qemu-img", "create", "-q", *_secret(source), "-f", _format(source), *_options(source))
    _make(*command, source.path, str(size_bytes))


def create_overlay(below: DiskSource, overlay: DiskSource) -> None:
    """Make a disk that has another disk's content until it is written to.

    Raises:
        HostError: qemu-img is missing or fails.
    """
    run("qemu-img", "create", "-q", "-f", overlay.format, "-F", below.format, "-b", below.path, overlay.path)


def copy_to_image(source: DiskSource, raw_path: Path) -> None:
    """Make a disk with the content of a raw file.

    Raises:
        HostError: cp or qemu-img is missing or fails.
    """
    if _is_plain(source):
        run("cp", "--sparse=always", "--reflink=auto", raw_path, source.path)
        source.path.chmod(0o600)
        return
    command = ("qemu-img", "convert", "-q", *_secret(source), "-f", "raw", "-O", _format(source), *_options(source))
    _make(*command, raw_path, source.path)


# When QEMU makes a LUKS image, it measures how fast this host derives keys. It gives up if the kernel counted no time
# for the measurement (qcrypto_pbkdf2_count_iters), which depends on when the kernel's clock ticks.
@retry(retry=retry_if_exception_message(match="(?s).*accurate CPU usage"), stop=stop_after_attempt(10), reraise=True)
def _make(*command: str | Path) -> None:
    run(*command)


def disk_bytes(source: DiskSource) -> int:
    """Return the size in bytes of the disk that a guest sees; the file must not be encrypted.

    Raises:
        HostError: qemu-img is missing or fails.
    """
    if _is_plain(source):
        return source.path.stat().st_size
    info = run("qemu-img", "info", "--force-share", "-f", source.format, "--output=json", source.path)
    return int(json.loads(info)["virtual-size"])


def write_block(source: DiskSource, offset_bytes: int, block: bytes) -> None:
    """Write to a disk that nobody else has open, as a guest would.

    Raises:
        HostError: qemu-io is missing or fails.
    """
    if _is_plain(source):
        with source.path.open("r+b") as file:
            file.seek(offset_bytes)
            file.write(block)
        return
    with tempfile.NamedTemporaryFile(dir=source.path.parent, suffix=".block") as scratch:
        scratch.write(block)
        scratch.flush()
        write = f"write -q -s {scratch.name} {offset_bytes} {len(block)}"
        run("qemu-io", *_secret(source), "-c", write, _content(source))


@contextmanager
def raw_view(source: DiskSource, scratch: Path) -> Iterator[Path]:
    """Provide a file with the content of the whole disk as a guest reads it.

    No guest may be writing to the disk; a server may have its file open.

    Raises:
        HostError: the image cannot be read.
    """
    if _is_plain(source):
        yield source.path
        return
    raw_path = scratch / f"{source.path.stem}.contents"
    try:
        run("qemu-img", "convert", "-q", "--force-share", *_secret(source), "-O", "raw", _content(source), raw_path)
        yield raw_path
    finally:
        raw_path.unlink(missing_ok=True)


def _is_plain(source: DiskSource) -> bool:
    return source.format == "raw" and source.encryption is None


def _format(source: DiskSource) -> str:
    return "luks" if source.format == "raw" and source.encryption else source.format


def _options(source: DiskSource) -> tuple[str, ...]:
    if source.encryption is None:
        return ()
    options = {"key-secret": _PASSPHRASE, "iter-time": _UNLOCK_MS}
    if source.format == "qcow2":
        options = {"encrypt.format": "luks"} | {f"encrypt.{key}": value for key, value in options.items()}
    return "-o", ",".join(f"{key}={value}" for key, value in options.items())


def _secret(source: DiskSource) -> tuple[str, ...]:
    if source.encryption is None:
        return ()
    passphrase = {"qom-type": "secret", "id": _PASSPHRASE, "file": str(source.encryption.passphrase_path)}
    return "--object", json.dumps(passphrase)


def _content(source: DiskSource) -> str:
    """Return the name under which QEMU's tools open a disk's plain content."""
    options: dict[str, object] = {"driver": _format(source)}
    if source.encryption and source.format == "raw":
        options["key-secret"] = _PASSPHRASE
    elif source.encryption:
        options["encrypt"] = {"format": "luks", "key-secret": _PASSPHRASE}
    return "json:" + json.dumps(options | {"file": {"driver": "file", "filename": str(source.path)}})
