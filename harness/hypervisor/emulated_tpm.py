"""The TPM of an instance: made before its first start, the same in every state, gone with its case.

libvirt starts swtpm beside QEMU and keeps the TPM's state by the domain's UUID until the domain is undefined. It would
make the TPM, too, but with certificates of an authority that swtpm_setup then founds in /var/lib/swtpm-localca or in
the user's home. A state folder that is there already it leaves alone (libvirt's qemu_tpm.c,
qemuTPMEmulatorCreateStorage), so the TPM is made here, with its endorsement keys and without certificates.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HostError
from harness.hypervisor.reaping import orphans_reaped
from harness.image.command import LAST_LINES, quoted

CIPHER = "aes-256-cbc"
"""libvirt's, qemuTPMVirCommandAddEncryption."""


def tpm_state_path(root: Path, domain_uuid: str) -> Path:
    """Where the embedded driver in ``root`` keeps the state of a domain's TPM 2.0."""
    return root / "lib" / "swtpm" / domain_uuid / "tpm2"


@contextmanager
def emulated_tpm(root: Path, domain_uuid: str, passphrase_path: Path) -> Iterator[Path]:
    """A TPM 2.0 for a domain, its state encrypted, until the end of the context; yields the folder of its state.

    Raises:
        HostError: swtpm is not installed or makes no TPM; says what it wrote.
    """
    state_path = tpm_state_path(root, domain_uuid)
    state_path.mkdir(parents=True, mode=0o700)
    try:
        _make(state_path, passphrase_path)
        yield state_path
    finally:
        shutil.rmtree(state_path.parent, ignore_errors=True)


def _make(state_path: Path, passphrase_path: Path) -> None:
    command = ("swtpm_setup", "--tpm2", "--tpm-state", state_path, "--createek", "--lock-nvram", "--not-overwrite")
    # swtpm_setup leaves a child behind that nobody waits for: in a session of its own it is a daemon to be reaped.
    with orphans_reaped():
        try:
            done = subprocess.run(
                [*command, "--pwdfile", passphrase_path, "--cipher", CIPHER],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise HostError("swtpm_setup is not on this host", hint="install swtpm and swtpm-tools") from error
    if done.returncode:
        said = quoted(done.stdout.splitlines()[-LAST_LINES:])
        raise HostError(f"swtpm_setup makes no TPM{said}", hint="see 'Devices' in docs/how-to/troubleshooting.md")
