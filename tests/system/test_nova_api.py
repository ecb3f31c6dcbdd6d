"""nova-api's and nova-compute's part of a rescue at level plan; ``test_nova_rescuable.py`` has the rest."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from harness.hypervisor.reaping import orphans_reaped
from harness.hypervisor.roots import held_root
from harness.implementation.nova.environments import Environments
from harness.implementation.nova.implementation import REQUEST_TIMEOUT_S
from harness.implementation.nova.messages import Answer, BlockDevice, MakeNormal, MakeRescued, NovaInstance, Open, Port
from harness.implementation.nova.opening import START_TIMEOUT_S, WORKER_LOG
from harness.implementation.nova.process import Worker
from harness.scenario.words import Role

from .support.nova_data import RELEASE, Data

UUID = "6f1f7f0a-0000-4000-8000-000000000001"
VOLUME = "6f1f7f0a-0000-4000-8000-000000000002"
BOTH = {"hw_rescue_bus": "usb", "hw_rescue_device": "disk"}
UNTOUCHED = ("active", None, False)
LOST = ("error", None, True)


@pytest.fixture(scope="module")
def worker(nova_data: Data) -> Iterator[Worker]:
    environment = Environments(nova_data.folder / "nova").find(RELEASE)
    with held_root(in_memory=True) as root:
        started = Worker(environment.python, root.path, root.work_path / WORKER_LOG, name=f"nova:{RELEASE}")
        try:
            with orphans_reaped():
                started.ask(Open(), START_TIMEOUT_S)
            yield started
        finally:
            started.close()


def described(*, from_volume: bool = False, **properties: str) -> NovaInstance:
    root = BlockDevice(role=Role.ROOT, bus=None, device="disk", size_mib=1)
    if from_volume:
        root = root.model_copy(update={"volume_path": "/volumes/root", "volume_id": VOLUME, "serial": VOLUME})
    port = Port(port_id=str(uuid.UUID(int=1)), mac="52:54:00:00:00:01")
    return NovaInstance(
        uuid=UUID, memory_mib=256, properties=properties, boots_from_volume=from_volume, nics=(port,), disks=(root,)
    )


def rescue(worker: Worker, instance: NovaInstance, properties: dict[str, str] | None) -> Answer:
    running = worker.ask(MakeNormal(instance=instance), REQUEST_TIMEOUT_S).xml
    assert running is not None
    request = MakeRescued(
        instance=instance,
        rescue_properties=properties,
        running_xml=running,
    )
    return worker.ask(request, REQUEST_TIMEOUT_S)


def left(answer: Answer) -> tuple[str, str | None, bool]:
    assert answer.left is not None
    return answer.left.vm_state, answer.left.task_state, answer.left.is_off


@pytest.mark.parametrize(
    ("from_volume", "properties", "exception", "words"),
    [
        pytest.param(True, {}, "InstanceNotRescuable", "Cannot rescue a volume-backed instance", id="volume-legacy"),
        pytest.param(False, {"hw_rescue_bus": "USB"}, "ValueError", "Field value USB is invalid", id="misspelt"),
    ],
)
def test_nova_api_refuses_before_anything_is_touched(
    worker: Worker, *, from_volume: bool, properties: dict[str, str], exception: str, words: str
) -> None:
    answer = rescue(worker, described(from_volume=from_volume), properties)
    assert answer.refusal is not None
    assert (answer.refusal.service, answer.refusal.exception) == ("nova-api", exception)
    assert words in answer.refusal.message
    assert left(answer) == UNTOUCHED


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        (
            {"hw_rescue_bus": "xen"},
            "Driver Error: Requested rescue bus 'xen' is not supported by the 'qemu' virt driver",
        ),
        ({"hw_rescue_device": "fs"}, "Driver Error: Requested rescue device 'fs' is not supported"),
        ({"hw_rescue_device": "lun"}, "Driver Error: ImageMetaProps object has no attribute 'hw_lun_bus'"),
    ],
)
def test_nova_compute_refuses_when_the_guest_is_off(worker: Worker, properties: dict[str, str], words: str) -> None:
    answer = rescue(worker, described(), properties)
    assert answer.refusal is not None
    assert (answer.refusal.service, answer.refusal.exception) == ("nova-compute", "InstanceNotRescuable")
    assert answer.refusal.message == f"Instance {UUID} cannot be rescued: {words}"
    assert left(answer) == LOST


@pytest.mark.parametrize("from_volume", [False, True])
def test_what_both_take_comes_to_a_domain(worker: Worker, *, from_volume: bool) -> None:
    answer = rescue(worker, described(from_volume=from_volume), BOTH)
    assert answer.refusal is None
    assert "disk.rescue" in (answer.xml or "")
    assert left(answer) == ("active", "rescuing", True)


def test_without_an_image_it_is_the_instances_own(worker: Worker) -> None:
    subject = described(hw_machine_type="q35")
    named, own = rescue(worker, subject, {}), rescue(worker, subject, None)
    assert 'machine="pc"' in (named.xml or "")
    assert 'machine="q35"' in (own.xml or "")


def test_a_refusal_leaves_no_trace_in_the_next_rescue(worker: Worker) -> None:
    rescue(worker, described(), {"hw_rescue_bus": "xen"})
    answer = rescue(worker, described(), BOTH)
    assert (answer.refusal, left(answer)) == (None, ("active", "rescuing", True))
