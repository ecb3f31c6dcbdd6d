"""Whose trouble a guest is that does not come up, by looks that were made up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from harness.errors import DidNotBoot, GuestError
from harness.guest.boot.allowance import Allowance
from harness.guest.boot.cpu import CpuPlace
from harness.guest.boot.look import Look, VcpuTime
from harness.guest.boot.tried import disks_read
from harness.guest.boot.waiting import BootWait
from harness.guest.boot.watch import Patience

IDLE = CpuPlace(halted=True, protected=True, paging=True, long_mode=True, address=0xFFFFFFFF_8FC592EB)
RUNNING = (libvirt.VIR_DOMAIN_RUNNING, 1)
XML = """
<domain><devices>
  <disk device='disk'><target dev='vda' bus='virtio'/></disk>
  <disk device='cdrom'><target dev='sda' bus='sata'/><boot order='1'/></disk>
  <disk device='disk'><target dev='vdb' bus='virtio'/></disk>
</devices></domain>
"""


@dataclass
class Observer:
    """Shows a guest that printed a text and rests, two seconds later at each look."""

    text: str
    state: tuple[int, int] = RUNNING
    starved: bool = False
    times: Iterator[int] = field(default_factory=lambda: iter(range(0, 1000, 2)))

    @property
    def domain(self) -> Any:
        return SimpleNamespace(state=lambda: self.state, XMLDesc=lambda _flags: XML)

    def look(self) -> Look:
        at_s = float(next(self.times))
        vcpu = VcpuTime(at_s / 10, at_s * 9 / 10) if self.starved else VcpuTime(1.0, 0.0)
        return Look(at_s, self.text, {"vda": 512, "sda": 4096}, (vcpu,), IDLE)


def wait_for(observer: Observer, *, says_ready: bool = True, cancelled: bool = False) -> GuestError:
    event = threading.Event()
    if cancelled:
        event.set()
    hypervisor = cast("Any", SimpleNamespace(cancelled=event))
    wait = BootWait(
        hypervisor,
        cast("Any", observer),
        Allowance(100, 400, 5),
        Patience.of(4),
        says_ready=says_ready,
        hint=lambda: "hint",
    )
    with pytest.raises(GuestError) as error:
        _look_for_ever(wait)
    return error.value


def _look_for_ever(wait: BootWait) -> None:
    while True:
        wait._looked_at = 0
        wait.require_hope("the guest was not ready")


def test_dead_boot_tells_the_disks_that_were_tried_in_boot_order() -> None:
    error = wait_for(Observer("No bootable device.\n"))
    assert isinstance(error, DidNotBoot)
    assert not error.only_its_time_ran_out
    assert error.message == (
        "the firmware found nothing to boot from: 'No bootable device.';"
        " it read 4 KiB of sda (sata CD-ROM), 512 bytes of vda (virtio disk)"
    )


def test_guest_that_read_nothing_read_no_disk() -> None:
    assert disks_read(XML, {"vda": 0}) == "it read no disk"


@pytest.mark.parametrize(("says_ready", "kind"), [(True, DidNotBoot), (False, GuestError)])
def test_system_that_runs_and_lets_nobody_in_has_booted(says_ready: bool, kind: type[GuestError]) -> None:
    error = wait_for(Observer("debian login: "), says_ready=says_ready)
    assert type(error) is kind
    assert "lets nobody in over SSH: 'debian login:'" in error.message


@pytest.mark.parametrize(("says_ready", "kind"), [(True, DidNotBoot), (False, GuestError)])
def test_guest_without_last_words_uses_up_its_time(says_ready: bool, kind: type[GuestError]) -> None:
    error = wait_for(Observer("on its way\n"), says_ready=says_ready)
    assert type(error) is kind
    assert error.message == "the guest was not ready within 100 s"
    assert "hint\n  if the host is only slow" in str(error.hint)
    assert getattr(error, "only_its_time_ran_out", True)


def test_guest_that_a_busy_host_gave_no_time_is_not_blamed() -> None:
    error = wait_for(Observer("on its way\n", starved=True))
    assert type(error) is GuestError
    assert "400 s by the clock, 40 s of them its own" in error.message


@pytest.mark.parametrize(
    ("state", "told", "did_not_boot"),
    [
        ((libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN), "powered itself off", True),
        ((libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED), "QEMU ended", True),
        ((libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR), "QEMU stopped the guest", False),
    ],
)
def test_state_of_the_domain_says_who_ended_the_guest(state: tuple[int, int], told: str, did_not_boot: bool) -> None:
    error = wait_for(Observer("", state))
    assert told in error.message
    assert isinstance(error, DidNotBoot) == did_not_boot


def test_interrupted_run_is_told_first() -> None:
    crashed = (libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)
    error = wait_for(Observer("", crashed), cancelled=True)
    assert error.message == "the run was interrupted"
