"""The SSH key of one run: made fresh, and never written to a file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class RunKey:
    """The SSH key of a run; ``authorized_keys`` is the guest's line for it."""

    key: paramiko.PKey
    authorized_keys: str


def make_run_key() -> RunKey:
    """Make an ed25519 key pair."""
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    key = paramiko.Ed25519Key(file_obj=io.StringIO(private.decode()))
    return RunKey(key, f"{key.get_name()} {key.get_base64()} rescue-harness")
