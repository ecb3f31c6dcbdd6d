"""Nova 34 with guests: a rescue after one that failed, its password, a worker that dies, a refused unrescue."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.domain.placement import Placement
from harness.errors import HostError, Refused
from harness.guest.testinfra_host import GuestHost, guest_host
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import Nova
from harness.implementation.protocol import PausesWhileOff
from harness.instance.preparation import prepared_instance
from harness.reading.cases import Case
from harness.run.engine import run_case
from harness.run.session import Session
from harness.scenario.models import Instance
from harness.scenario.words import ClaimName, VerdictName

from .support.cases import case_with
from .support.nova_data import RELEASE, Data

SCENARIO = """\
name: second
summary: A config drive, in which a password would be, and a volume, whose file can be missing
instance:
  disks:
    - {role: root}
    - {role: volume}
    - {role: config_drive}
rescue_image:
  properties: {hw_rescue_bus: virtio}
"""


@pytest.fixture(scope="module")
def nova(nova_data: Data) -> Iterator[Nova]:
    with Nova(Environments(nova_data.folder / "nova").find(RELEASE)) as opened:
        yield opened


@pytest.fixture
def case(nova: Nova, session: Session, tmp_path: Path) -> Case:
    path = tmp_path / "second.yaml"
    path.write_text(SCENARIO)
    return case_with(nova, path, session)


def test_a_worker_that_dies_in_a_rescue_loses_its_instance_and_leaves_nothing(
    nova: Nova, case: Case, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests = nova.guests(session.hypervisor)
    with prepared_instance(case, session) as ready:
        life_cycle = ready.life_cycle
        life_cycle.start()
        dead = guests.worker.pid or 0
        monkeypatch.setattr(life_cycle, "look_while_off", lambda: os.kill(dead, signal.SIGKILL))
        with pytest.raises(HostError, match=rf"{nova.name}: the worker died of signal 9"):
            life_cycle.rescue(case.point.scenario.rescue_image)
        monkeypatch.undo()
        instance_folder = life_cycle.console_path.parent
        assert instance_folder.exists()
    assert guests.hypervisor.connection.listAllDomains() == []
    assert not instance_folder.exists()
    assert not ready.folder.exists()
    guests.worker.start()
    assert guests.worker.pid not in (None, dead)


def test_a_rescue_after_a_failed_one_is_what_unrescue_returns_to(
    case: Case, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = case.point.scenario.rescue_image
    with prepared_instance(case, session) as ready:
        life_cycle = ready.life_cycle
        assert medium_of(guest_host(life_cycle.start())) == "root"
        volume = life_cycle.placement.sources["volume1"].path
        away = volume.with_suffix(".away")

        def lose_volume() -> None:
            volume.replace(away)

        with monkeypatch.context() as patch:
            patch.setattr(life_cycle, "look_while_off", lose_volume)
            with pytest.raises(Refused, match="leaves the instance in ERROR"):
                life_cycle.rescue(image)
        assert not life_cycle.is_active
        away.replace(volume)

        rescued = guest_host(life_cycle.rescue(image))
        # Its marker is of the failed rescue: Nova takes the disk that it finds.
        assert medium_of(rescued) == "rescue"
        made = life_cycle.console_path.with_name("disk.config.rescue").read_bytes()
        password = re.search(rb'"admin_pass": "([^"]+)"', made)
        assert password is not None
        drive = life_cycle.running.run(f"cat {rescued.disks['config_drive'].name}").stdout
        assert life_cycle.placement.uuid.encode() in drive, "the instance's own"
        assert password[1] not in drive, "made, and attached to nothing"

        unrescued = guest_host(life_cycle.unrescue())
        assert medium_of(unrescued) == "rescue", "Nova has saved the failed rescue as what to return to"
        assert "root" in unrescued.disks


def test_a_refused_unrescue_is_held_against_nova(
    nova: Nova, case: Case, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests = nova.guests(session.hypervisor)
    unrescue = guests.unrescue

    def unrescue_without_what_was_saved(instance: Instance, placement: Placement) -> PausesWhileOff:
        guests.console_path(placement).with_name("unrescue.xml").unlink()
        return unrescue(instance, placement)

    monkeypatch.setattr(guests, "unrescue", unrescue_without_what_was_saved)
    result = run_case(case, session)
    assert (result.verdict, result.failure, result.refusal) == (VerdictName.MOVED, None, None)
    (kept,) = (finding for finding in result.findings if finding.claim is ClaimName.RESTORED)
    assert (kept.device, kept.before, kept.after) == ("instance", "rescued", "rescued still")
    assert "nova-compute refuses" in kept.message
    assert not guests.hypervisor.connection.listAllDomains()


def medium_of(host: GuestHost) -> str:
    """Which disk the running system is on."""
    device = host.inventory.block_device(host.inventory.boot_medium or "")
    assert device is not None
    assert device.marker is not None
    return device.marker.disk
