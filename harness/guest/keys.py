"""The SSH key of one run: made fresh, never written outside the run's own folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class RunKey:
    """``authorized_keys`` is the line for the guest; ``path`` the private key, for the tools that want a file."""

    key: paramiko.PKey
    path: Path
    authorized_keys: str


def make_run_key(folder: Path) -> RunKey:
    """Make an ed25519 key pair below ``folder``."""
    private = Ed25519PrivateKey.generate()
    path = folder / "ssh-key"
    path.touch(mode=0o600)
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    key = paramiko.Ed25519Key(filename=str(path))
    return RunKey(key, path, f"{key.get_name()} {key.get_base64()} rescue-harness")
