"""Who may be rescued from what, in whose words it is refused, and how the instance is left: Nova's own code says.

Nothing is replaced but the cloud and the start of a guest; see ``unstarted_worker.py``.
"""

from __future__ import annotations

import json

import pytest

from harness.scenario.words import Role

from .support.nova_server import LEGACY, LOST, RESCUED, STABLE, UNTOUCHED, Nova, assert_refused, disk, left, machine

VOLUME = "6f1f7f0a-0000-4000-8000-000000000002"
ROOT_VOLUME = disk(volume=VOLUME)


def test_an_instance_whose_image_is_gone_is_rescued_with_what_nova_has_kept_of_it(nova: Nova) -> None:
    server = nova.spawned(hw_machine_type="q35")
    server.change(images_gone=[server.image.id])
    answer = server.rescue(nova.image("a", **STABLE))
    if nova.is_oldest:
        assert_refused(answer, "nova-compute", f"Driver Error: Image {server.image.id} could not be found")
        assert left(answer) == LOST
    else:
        assert left(answer) == RESCUED
        assert machine(server) == "q35"


def test_without_a_rescue_image_an_image_that_is_gone_is_looked_for_before_anything_is_touched(nova: Nova) -> None:
    server = nova.spawned()
    server.change(images_gone=[server.image.id])
    answer = server.rescue(None)
    assert_refused(answer, "nova-compute", f"Image {server.image.id} could not be found")
    assert left(answer) == UNTOUCHED


@pytest.mark.parametrize(("source", "is_lost"), [("image", True), ("volume", False), ("blank", False)])
def test_the_image_that_a_root_volume_was_made_of_has_to_be_there(nova: Nova, source: str, *, is_lost: bool) -> None:
    image = nova.image("root")
    mapping = {0: {"source_type": source, "image_id": image.id if source == "image" else None}}
    server = nova.spawned(ROOT_VOLUME, mapping=mapping)
    server.change(images_gone=[image.id])
    answer = server.rescue(nova.image("a", **STABLE))
    if is_lost:
        assert_refused(
            answer, "nova-compute", f"Driver Error: Block Device Mapping is Invalid: failed to get image {image.id}"
        )
    assert left(answer) == (LOST if is_lost else RESCUED)


def test_a_root_volume_that_cinder_does_not_call_bootable_ends_in_error(nova: Nova) -> None:
    server = nova.spawned(ROOT_VOLUME, mapping={0: {"source_type": "blank"}})
    server.change(bootable=False)
    answer = server.rescue(nova.image("a", **STABLE))
    assert_refused(answer, "nova-compute", f"Driver Error: Block Device {VOLUME} is not bootable")
    assert left(answer) == LOST


@pytest.mark.parametrize(
    ("kept", "service", "words"),
    [
        (LEGACY, "nova-api", "Cannot rescue a volume-backed instance"),
        (STABLE, "nova-compute", "Image  could not be found"),
    ],
)
def test_a_volume_backed_instance_is_not_rescued_without_an_image(
    nova: Nova, kept: dict[str, str], service: str, words: str
) -> None:
    answer = nova.spawned(ROOT_VOLUME, **kept).rescue(None)
    assert_refused(answer, service, words)
    assert left(answer) == UNTOUCHED


@pytest.mark.parametrize("properties", [LEGACY, {"hw_rescue_bus": "usb"}, {"hw_rescue_device": "disk"}])
def test_a_volume_backed_instance_wants_both_properties(nova: Nova, properties: dict[str, str]) -> None:
    answer = nova.spawned(ROOT_VOLUME).rescue(nova.image("a", **properties))
    assert_refused(answer, "nova-api", "Cannot rescue a volume-backed instance")
    assert left(answer) == UNTOUCHED


def test_a_volume_backed_instance_wants_a_host_with_the_trait(nova: Nova) -> None:
    server = nova.spawned(ROOT_VOLUME)
    server.change(capabilities={"supports_bfv_rescue": False})
    answer = server.rescue(nova.image("a", **STABLE))
    assert_refused(answer, "nova-api", "Host unable to rescue a volume-backed instance")
    assert left(answer) == UNTOUCHED


def test_an_image_of_a_volumes_snapshot_is_refused(nova: Nova) -> None:
    snapshot = json.dumps([{"source_type": "snapshot", "destination_type": "volume", "boot_index": 0}])
    server = nova.spawned()
    image = nova.image("a", **STABLE, block_device_mapping=snapshot)
    answer = server.rescue(image)
    assert_refused(answer, "nova-api", f"Requested rescue image '{image.id}' is not supported")
    assert left(answer) == UNTOUCHED


@pytest.mark.parametrize("state", ["active", "stopped", "error"])
def test_a_rescue_is_begun_in_these_states(nova: Nova, state: str) -> None:
    server = nova.spawned()
    server.change(instance={"vm_state": state})
    assert left(server.rescue(nova.image("a", **STABLE))) == RESCUED


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"vm_state": "paused"}, "in vm_state paused"),
        ({"vm_state": "suspended"}, "in vm_state suspended"),
        ({"vm_state": "rescued"}, "in vm_state rescued"),
        ({"vm_state": "shelved"}, "in vm_state shelved"),
        ({"task_state": "rebooting"}, "in task_state rebooting"),
        ({"locked": True}, "is locked"),
    ],
)
def test_and_in_these_it_is_refused(nova: Nova, fields: dict[str, str], words: str) -> None:
    server = nova.spawned()
    server.change(instance=fields)
    answer = server.rescue(nova.image("a", **STABLE))
    assert_refused(answer, "nova-api", words)
    assert left(answer) == (fields.get("vm_state", "active"), fields.get("task_state"), False)


@pytest.mark.parametrize(("bus", "is_refused"), [("virtio", True), ("usb", False)])
def test_the_most_disks_are_counted_by_the_rescue_disks_name(nova: Nova, bus: str, *, is_refused: bool) -> None:
    server = nova.spawned(disk(), disk(Role.EPHEMERAL), configuration={"compute.max_disk_devices_to_attach": 2})
    answer = server.rescue(nova.image("a", hw_rescue_bus=bus))
    if is_refused:
        assert_refused(answer, "nova-compute", "The maximum allowed number of disk devices (2) to attach")
    assert left(answer) == (LOST if is_refused else RESCUED)


def test_an_instance_without_a_domain_is_off_when_its_rescue_is_refused(nova: Nova) -> None:
    server = nova.spawned()
    server.change(instance={"vm_state": "error"}, undefined=True)
    answer = server.rescue(nova.image("a", hw_rescue_bus="xen"))
    assert_refused(answer, "nova-compute", "Requested rescue bus 'xen' is not supported")
    assert left(answer) == LOST
