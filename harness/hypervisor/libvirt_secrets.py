"""Passphrases of encrypted volumes and TPMs, as secrets of libvirt's embedded driver.

The embedded QEMU driver takes secrets from the embedded secret driver of the same root (libvirt's drvsecret,
"Embedded driver"). That one is made to live in a daemon, and what a daemon does for it is done here, with functions
that libvirt's library has but does not promise. Seen with libvirt 9.0:

- "No current identity to elevate": a secret is read in the name of a client, and it is the daemon that says which
  client a thread works for (virIdentitySetCurrent).
- "Missing URI parameter 'root'": a thread opens a connection of its own for secrets unless told to use ours
  (virSetConnectSecret), and a second one is refused ("A secret driver is already registered").
- Defining an ephemeral secret, or undefining any, kills the process: the driver tells the daemon not to end, or that it
  may, and there is none. So the secret is persistent, and goes by being overwritten and by its files being removed.
"""

from __future__ import annotations

import ctypes
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import libvirt

from harness.errors import HostError
from harness.hypervisor.connection import version_text

_DEFINITION = """\
<secret ephemeral='no' private='yes'>
  <uuid>{uuid}</uuid>
  <usage type='{usage}'>
    <{tag}>{uuid}</{tag}>
  </usage>
</secret>
"""
SecretUsage = Literal["volume", "vtpm"]
"""What a secret of libvirt's is for."""
_TAG_OF_USAGE: Mapping[SecretUsage, str] = {"volume": "volume", "vtpm": "name"}
_OVERWRITTEN = b"none"
_HINT = "see 'Encrypted volumes' in docs/how-to/troubleshooting.md"
_first_use = threading.Lock()


@contextmanager
def libvirt_secret(root: Path, passphrase: bytes, usage: SecretUsage) -> Iterator[str]:
    """A secret of the embedded driver in ``root``, for the domains that this thread starts; yields its UUID.

    At the end its value and its files are gone; only libvirt's note that it was there lasts as long as the process.

    Raises:
        HostError: libvirt has no secret driver, or none that can be used without a daemon.
    """
    secret_uuid = str(uuid.uuid4())
    try:
        with _first_use:
            connection = _connection(root)
            _make_usable_in_this_thread(connection)
        secret = connection.secretDefineXML(_DEFINITION.format(uuid=secret_uuid, usage=usage, tag=_TAG_OF_USAGE[usage]))
        secret.setValue(passphrase)
    except libvirt.libvirtError as error:
        raise HostError(f"libvirt takes no secret for an encrypted {usage}: {error}", hint=_HINT) from error
    try:
        yield secret_uuid
    finally:
        try:
            secret.setValue(_OVERWRITTEN)
        finally:
            for path in (root / "etc" / "secrets").glob(f"{secret_uuid}.*"):
                path.unlink()


@cache
def _connection(root: Path) -> libvirt.virConnect:
    return libvirt.open(f"secret:///embed?root={root}")


def _make_usable_in_this_thread(connection: libvirt.virConnect) -> None:
    set_identity, set_connection = _private("virIdentitySetCurrent"), _private("virSetConnectSecret")
    if set_identity(_anonymous()) or set_connection(ctypes.c_void_p(connection.c_pointer())):
        raise HostError("libvirt cannot be told who uses its secrets", hint=_HINT)


@cache
def _anonymous() -> ctypes.c_void_p:
    new_identity = _private("virIdentityNew")
    new_identity.restype = ctypes.c_void_p
    return ctypes.c_void_p(new_identity())


def _private(name: str) -> Any:
    """A function of libvirt's library that is in none of its headers.

    Raises:
        HostError: this version has no such function.
    """
    try:
        return getattr(ctypes.CDLL("libvirt.so.0"), name)
    except (AttributeError, OSError) as error:
        raise HostError(
            f"libvirt {version_text(libvirt.getVersion())} has no secrets without a daemon: {error}",
            hint=_HINT,
        ) from error
