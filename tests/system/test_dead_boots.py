"""Guests that do not come up, each for a reason of its own: told rightly, and soon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.errors import DidNotBoot
from harness.guest.boot.last_words import Death
from harness.implementation.reference.implementation import Reference
from harness.instance.preparation import prepared_instance
from harness.reading.cases import collect_cases
from harness.run.session import Session

from .conftest import MINIMAL
from .support import dying_media as media

UEFI = MINIMAL.replace("instance:", "instance:\n  machine: q35\n  firmware: uefi")
SECURE_BOOT = UEFI.replace("firmware: uefi", "firmware: uefi\n  properties: {os_secure_boot: required}")
SOON_CANARY_BOOTS = 1.5
"""The guest's own time within which a death is told after the guest's last sign, however busy the host is."""
LEAST_S = 6.0
"""The same on a host that boots the canary in no time: firmware and loaders wait for a key by the clock."""


@dataclass(frozen=True)
class Kind:
    """A medium that does not boot, what is said of it, and the instance that it is the root of."""

    medium: media.Medium
    death: Death
    words: str = ""
    scenario: str = MINIMAL


KINDS = {
    "blank": Kind(media.blank, Death.NOTHING_TO_BOOT, "No bootable device"),
    "boot sector halts": Kind(media.HALTS, Death.LOADER_STOPPED),
    "boot sector runs in a circle": Kind(media.RUNS_IN_A_CIRCLE, Death.LOADER_STOPPED),
    "boot sector resets": Kind(media.RESETS, Death.STARTS_OVER),
    "no SYSLINUX configuration": Kind(media.with_files(syslinux__cfg=None), Death.LOADER_FAILED, "No configuration"),
    "broken kernel": Kind(media.with_files(vmlinuz=bytes(4096)), Death.LOADER_FAILED, "Booting kernel failed"),
    "no root": Kind(media.with_command_line("root=/dev/none", initramfs=False), Death.NO_ROOT, "unable to mount root"),
    "init ends": Kind(media.with_command_line("rdinit=/bin/false panic=-1"), Death.PANIC, "Attempted to kill init"),
    "shell in the initramfs": Kind(
        media.with_command_line('rdinit=/bin/sh "PS1=(initramfs) "'), Death.INITRAMFS_SHELL, "(initramfs)"
    ),
    "powers off": Kind(media.with_command_line("rdinit=/bin/poweroff -- -f"), Death.POWERED_OFF),
    "UEFI, blank": Kind(media.blank, Death.FIRMWARE_SHELL, "Shell>", UEFI),
    "UEFI, no GRUB configuration": Kind(media.NO_GRUB_CONFIGURATION, Death.LOADER_PROMPT, "grub>", UEFI),
    "altered loader": Kind(media.altered_loader, Death.FIRMWARE_REFUSED, "Access Denied", SECURE_BOOT),
}


@dataclass(frozen=True)
class Ended:
    """The message about a dead boot, the guest's own time since its last sign, and the most that this may be."""

    message: str
    quiet_s: float
    soon_s: float


def _boot(kind: Kind, session: Session, folder: Path) -> Ended:
    folder.mkdir()
    assert session.images is not None
    kind.medium(session.images.instance, folder / "medium.img")
    scenario = folder / "dead.yaml"
    scenario.write_text(kind.scenario)
    (case,) = collect_cases([scenario], Reference())
    broken = replace(session, images=replace(session.images, instance=folder / "medium.img"))
    with prepared_instance(case, broken) as ready:
        with pytest.raises(DidNotBoot) as error:
            ready.life_cycle.start()
        assert error.value.quiet_s is not None
        soon_s = max(LEAST_S, SOON_CANARY_BOOTS * session.hypervisor.accelerator.canary_s)
        return Ended(error.value.message, error.value.quiet_s, soon_s)


@pytest.fixture(scope="module")
def ended(rescue_session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[Ended]]]:
    """The ends of all guests, of which two run at once."""
    folder = tmp_path_factory.mktemp("dead")
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(_boot, kind, rescue_session, folder / str(number))
            for number, (name, kind) in enumerate(KINDS.items())
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", KINDS)
def test_boot_that_is_over_is_told_rightly_and_soon(name: str, ended: Mapping[str, Future[Ended]]) -> None:
    kind, end = KINDS[name], ended[name].result()
    print(f"{name}: {end.message} ({end.quiet_s:.1f} s of at most {end.soon_s:.1f} s)")
    assert end.message.startswith(kind.death)
    assert kind.words.casefold() in end.message.casefold()
    assert end.quiet_s < end.soon_s
