"""The accelerator that really works on this host: a Linux guest was seen to come up under it.

/dev/kvm may open, create a virtual machine and finish SeaBIOS, and still hang every Linux guest for ever; libvirt's
capabilities then say that KVM is there. So the harness uses KVM only after a canary has printed its line under KVM.
The canary is a direct kernel boot of the guest image's own kernel and initramfs. All deadlines are scaled from the
time that the canary took under the accelerator in force.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from harness.errors import HostError
from harness.image import ImageSet, cache_root

CANARY_LINE = b"rescue-harness: canary"
TCG_DEADLINE_S = 180.0
KVM_DEADLINE_FACTOR = 2.0
"""KVM is not slower than TCG: twice TCG's time without a sign of life is a hang."""


@dataclass(frozen=True)
class Accelerator:
    """The accelerator in force.

    ``domain_type`` is libvirt's word for the accelerator. ``canary_s`` is the time that the canary took, in seconds.
    ``reason`` says why KVM is or is not used.
    """

    domain_type: Literal["qemu", "kvm"]
    canary_s: float
    reason: str


NO_ACCELERATOR = Accelerator("qemu", 0.0, "no guest is booted, so no accelerator is needed")


def find_accelerator(images: ImageSet, emulator: str) -> Accelerator:
    """Return the proven accelerator, remembered for this boot of the host, this QEMU and this kernel.

    Raises:
        HostError: the canary does not come up even under TCG.
    """
    record_path = cache_root() / "accelerator.json"
    record_path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(record_path.with_suffix(".lock")):
        key = _key(images, emulator)
        known = _read_record(record_path, key)
        if known is not None:
            return known
        found = _prove(images, emulator)
        record_path.write_text(json.dumps({"key": key, "accelerator": asdict(found)}))
        return found


def _key(images: ImageSet, emulator: str) -> list[str]:
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    stat = Path(emulator).stat()
    return [boot_id, f"{emulator} {stat.st_size} {stat.st_mtime_ns}", images.directory.name, str(os.getuid())]


def _read_record(path: Path, key: list[str]) -> Accelerator | None:
    try:
        record = json.loads(path.read_text())
        return Accelerator(**record["accelerator"]) if record["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _prove(images: ImageSet, emulator: str) -> Accelerator:
    tcg_s = boot_canary(images, emulator, "tcg", TCG_DEADLINE_S)
    if tcg_s is None:
        raise HostError(
            f"the canary guest did not come up under TCG within {TCG_DEADLINE_S:.0f} s",
            hint=f"try it by hand: {' '.join(_command(images, emulator, 'tcg'))}",
        )
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        why = "there is no /dev/kvm" if not Path("/dev/kvm").exists() else "you may not read and write /dev/kvm"
        return Accelerator("qemu", tcg_s, f"TCG: {why}")
    deadline_s = max(5.0, KVM_DEADLINE_FACTOR * tcg_s)
    kvm_s = boot_canary(images, emulator, "kvm", deadline_s)
    if kvm_s is None:
        return Accelerator(
            "qemu", tcg_s, f"TCG: /dev/kvm opens, but a Linux guest did not come up under it within {deadline_s:.0f} s"
        )
    return Accelerator("kvm", kvm_s, f"KVM: the canary guest came up in {kvm_s:.1f} s")


def _command(images: ImageSet, emulator: str, accelerator: str) -> list[str]:
    return [
        # The kernel ends QEMU together with the harness, even when the harness is killed.
        *("setpriv", "--pdeathsig", "KILL"),
        *(emulator, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", "pc", "-accel", accelerator, "-m", "256", "-serial", "stdio"),
        *("-kernel", str(images.kernel), "-initrd", str(images.initramfs)),
        *("-append", "console=ttyS0 quiet panic=-1 harness.canary"),
    ]


def boot_canary(images: ImageSet, emulator: str, accelerator: str, deadline_s: float) -> float | None:
    """Boot the canary; return the seconds until its line.

    Return None if the line did not come before the deadline, or if QEMU gave up.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            _command(images, emulator, accelerator),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise HostError(f"{emulator} cannot be started: {error}", hint="install qemu-system-x86") from error
    with process:
        try:
            output, _ = process.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            process.kill()
    return time.monotonic() - started if CANARY_LINE in output else None
