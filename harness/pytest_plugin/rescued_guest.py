"""The rescued guest of a case, for users' own tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.guest.rebooting import rebooted
from harness.guest.testinfra_host import GuestHost, guest_host
from harness.instance.hot_plug import take_all_steps
from harness.instance.preparation import prepared_instance
from harness.reading.cases import Case
from harness.run.session import Session


@contextmanager
def rescued_guest(case: Case, session: Session) -> Iterator[GuestHost]:
    """Boot a case's instance, take its steps, rescue it, take the steps while it is rescued, and remove it at the end.

    Raises:
        HostError: QEMU or libvirt failed.
        GuestError: the guest did not come up.
        Refused: the implementation does not rescue the instance.
    """
    with prepared_instance(case, session) as ready:
        ready.life_cycle.start()
        take_all_steps(case.point.scenario, ready.life_cycle)
        guest = ready.life_cycle.rescue(case.point.scenario.rescue_image)
        for _ in case.point.scenario.while_rescued:
            guest = ready.life_cycle.enter(rebooted(guest))
        yield guest_host(guest)
