"""How one logs into a guest, and how one knows that it is up: both depend on its image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from harness.errors import HostError
from harness.image.user_file import readable

SYSTEMD_PATIENCE = 4.0
"""How many times as long as the harness's own guest one with systemd may take; a quiet host needs less than half."""
CLOUD_INIT_PATIENCE = 8.0
"""As ``SYSTEMD_PATIENCE``, with cloud-init: four starts of Python, host keys and accounts made at the first boot."""


@dataclass(frozen=True)
class Login:
    """Who logs in with which key. ``says_ready``: the guest prints its host key and boot id on the console.

    Where it does not, the host key of the first contact is believed: the port is on loopback and leads into our own
    QEMU. ``patience`` stretches the deadlines. ``by_cloud_init``: user and key are there once cloud-init has run.
    """

    key: paramiko.PKey
    user: str = "root"
    says_ready: bool = True
    patience: float = 1.0
    by_cloud_init: bool = False

    @property
    def become_root(self) -> str:
        """What a shell command is put behind to run as root."""
        return "" if self.user == "root" else "sudo -n -- sh -c "


def read_private_key(path: Path) -> paramiko.PKey:
    """The private key in a file of the user's.

    Raises:
        HostError: it cannot be read, is protected by a passphrase, or is no key.
    """
    try:
        return paramiko.PKey.from_path(readable(path))
    except paramiko.PasswordRequiredException as error:
        raise HostError(f"{path} is protected by a passphrase", hint="take a key without one for the test") from error
    except (OSError, ValueError, paramiko.SSHException, UnknownKeyType) as error:
        raise HostError(
            f"{path} is no private key that can be used: {error}", hint="ssh-keygen -t ed25519 -N '' makes one"
        ) from error
