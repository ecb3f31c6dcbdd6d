"""The way to log into a guest, and the sign that the guest is up: both depend on its image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from harness.errors import HostError
from harness.image.user_file import readable

SYSTEMD_PATIENCE = 4.0
"""The time that a guest with systemd may take, in times of the harness's own; a quiet host needs less than half."""
CLOUD_INIT_PATIENCE = 8.0
"""The same with cloud-init: the first boot starts Python four times and makes host keys and accounts."""


@dataclass(frozen=True)
class Login:
    """The user that logs in, and the key.

    ``says_ready``: the guest prints its host key and boot id on the console. If the guest does not print them, the
    harness accepts the host key of the first contact: the port is on loopback and leads into the harness's own QEMU.
    ``patience`` multiplies the deadlines. ``by_cloud_init``: cloud-init makes the user and installs the key.
    """

    key: paramiko.PKey
    user: str = "root"
    says_ready: bool = True
    patience: float = 1.0
    by_cloud_init: bool = False

    @property
    def become_root(self) -> str:
        """The prefix that makes a shell command run as root."""
        return "" if self.user == "root" else "sudo -n -- sh -c "


def read_private_key(path: Path) -> paramiko.PKey:
    """Return the private key in a file of the user's.

    Raises:
        HostError: the file cannot be read, is protected by a passphrase, or holds no private key.
    """
    try:
        return paramiko.PKey.from_path(readable(path))
    except paramiko.PasswordRequiredException as error:
        raise HostError(f"{path} is protected by a passphrase", hint="take a key without one for the test") from error
    except (OSError, ValueError, paramiko.SSHException, UnknownKeyType) as error:
        raise HostError(
            f"{path} is no private key that can be used: {error}", hint="ssh-keygen -t ed25519 -N '' makes one"
        ) from error
