"""Passphrases of encrypted volumes and TPMs, as secrets of libvirt's embedded driver.

The embedded QEMU driver takes secrets from the embedded secret driver of the same root (libvirt's drvsecret,
"Embedded driver"). The embedded secret driver is made to live in a daemon. This module does the daemon's part, with
functions that libvirt's library has but does not promise. Errors seen with libvirt 9.0, and their causes:

- "No current identity to elevate": libvirt reads a secret in the name of a client, and the daemon says which client a
  thread works for (virIdentitySetCurrent).
- "Missing URI parameter 'root'": a thread opens a connection of its own for secrets unless the daemon gives it one
  (virSetConnectSecret), and libvirt refuses a second connection ("A secret driver is already registered").
- Defining an ephemeral secret, or undefining any secret, kills the process: the driver tells the daemon not to end, or
  that it may end, and there is no daemon. So the harness defines a persistent secret. To remove the secret, the harness
  overwrites its value and removes its files.
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
"""The usage of a libvirt secret."""
_TAG_OF_USAGE: Mapping[SecretUsage, str] = {"volume": "volume", "vtpm": "name"}
_OVERWRITTEN = b"none"
_HINT = "see 'Encrypted volumes' in docs/how-to/troubleshooting.md"
_first_use = threading.Lock()


@contextmanager
def libvirt_secret(root: Path, passphrase: bytes, usage: SecretUsage) -> Iterator[str]:
    """Make a secret of the embedded driver in ``root``, for the domains that this thread starts; yield its UUID.

    The end of the context removes the secret's value and files. Only libvirt's note that the secret existed lasts as
    long as the process.

    Raises:
        HostError: libvirt has no secret driver, or none that works without a daemon.
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
    """Return a function of libvirt's library that is in none of the library's headers.

    Raises:
        HostError: this version of libvirt has no such function.
    """
    try:
        return getattr(ctypes.CDLL("libvirt.so.0"), name)
    except (AttributeError, OSError) as error:
        raise HostError(
            f"libvirt {version_text(libvirt.getVersion())} has no secrets without a daemon: {error}",
            hint=_HINT,
        ) from error
