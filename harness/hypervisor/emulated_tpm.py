"""The TPM of an instance: made before the instance's first start, the same in every state, removed with its case.

libvirt starts swtpm beside QEMU and keeps the TPM's state by the domain's UUID until the domain is undefined. libvirt
would make the TPM, too, but with certificates of an authority that swtpm_setup then founds in /var/lib/swtpm-localca or
in the user's home. libvirt leaves an existing state folder alone (qemu_tpm.c, qemuTPMEmulatorCreateStorage). So the
harness makes the TPM here, with its endorsement keys and without certificates.
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
"""The cipher that libvirt gives to swtpm (qemuTPMVirCommandAddEncryption)."""


def tpm_state_path(root: Path, domain_uuid: str) -> Path:
    """Return the folder in which the embedded driver in ``root`` keeps the state of a domain's TPM 2.0."""
    return root / "lib" / "swtpm" / domain_uuid / "tpm2"


@contextmanager
def emulated_tpm(root: Path, domain_uuid: str, passphrase_path: Path) -> Iterator[Path]:
    """Make a TPM 2.0 with encrypted state for a domain; yield the folder of the state.

    The end of the context removes the state.

    Raises:
        HostError: swtpm is not installed or makes no TPM; the message quotes swtpm's output.
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
    # swtpm_setup leaves a child behind that nobody waits for. In a session of its own, that child is a daemon that
    # orphans_reaped() reaps.
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
