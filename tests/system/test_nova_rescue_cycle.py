"""What a rescue does to an instance and to Nova's record of it, and what is left of that afterwards.

Nothing is replaced but the cloud and the start of a guest; see ``unstarted_worker.py``.
"""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from harness.errors import Refused
from harness.scenario.words import Role

from .support.nova_server import LEGACY, LOST, RESCUED, STABLE, Nova, Server, assert_refused, disk, left, machine

VOLUME = "6f1f7f0a-0000-4000-8000-000000000002"
OTHER_VOLUME = "6f1f7f0a-0000-4000-8000-000000000003"
BACK = ("active", None, False)


def addresses(server: Server) -> dict[str, str]:
    """Where each disk with a PCI address is, as device metadata put it."""
    found = {name: element.find("address[@type='pci']") for name, element in server.disks.items()}
    return {
        name: "{}:{}:{}.{}".format(*(address.attrib[key][2:] for key in ("domain", "bus", "slot", "function")))
        for name, address in found.items()
        if address is not None
    }


def caches(server: Server) -> dict[str, str]:
    drivers = {name: element.find("driver") for name, element in server.disks.items()}
    return {name: driver.attrib["cache"] for name, driver in drivers.items() if driver is not None}


def files(server: Server) -> set[str]:
    return {path.name for path in server.folder.iterdir()}


def test_an_instance_is_after_its_rescue_what_it_was_before(nova: Nova) -> None:
    server = nova.spawned(disk(), disk(Role.VOLUME, volume=VOLUME), config_drive=True)
    before = ElementTree.tostring(server.domain), server.record, files(server)
    assert left(server.rescue(nova.image("a", **STABLE))) == RESCUED
    assert list(server.disks) == ["disk", VOLUME, "disk.config", "disk.rescue"]
    assert left(server.unrescue()) == BACK
    assert (ElementTree.tostring(server.domain), server.record, files(server)) == before


@pytest.mark.parametrize(("properties", "is_attached"), [(STABLE, False), (LEGACY, True)])
def test_a_config_drive_with_the_rescue_password_is_made_and_attached_to_legacy_rescues_only(
    nova: Nova, properties: dict[str, str], *, is_attached: bool
) -> None:
    server = nova.spawned(disk(), config_drive=True)
    server.rescue(nova.image("a", **properties))
    assert "disk.config.rescue" in files(server)
    assert ("disk.config.rescue" in server.disks) is is_attached


def test_a_legacy_rescue_from_an_image_with_another_bus_leaves_the_root_its_name_in_the_record(nova: Nova) -> None:
    server = nova.spawned()
    server.rescue(nova.image("a", hw_disk_bus="sata"))
    target = server.disks["disk"].find("target")
    assert target is not None
    assert (server.record["root_device_name"], target.attrib["dev"]) == ("/dev/vda", "sdb")
    server.unrescue()
    assert server.record["root_device_name"] == "/dev/vda"


def test_a_second_image_is_rescued_from_where_a_first_rescue_went_well(nova: Nova) -> None:
    server = nova.spawned()
    first, second = nova.image("a", **STABLE), nova.image("b", **STABLE)
    for image, letter in ((first, "a"), (second, "b")):
        server.rescue(image)
        assert nova.read(server.folder / "disk.rescue") == letter
        server.unrescue()


def test_after_a_rescue_that_did_not_start_the_next_one_has_its_disk_and_unrescue_the_rescue(nova: Nova) -> None:
    server = nova.spawned()
    server.change(failing_starts=1)
    failed = server.rescue(nova.image("a", **STABLE))
    assert_refused(failed, "nova-compute", "process exited while connecting to monitor")
    assert left(failed) == LOST
    assert left(server.rescue(nova.image("b", **STABLE))) == RESCUED
    assert nova.read(server.folder / "disk.rescue") == "a", "another image was asked for"
    assert left(server.unrescue()) == BACK
    assert "disk.rescue" in server.disks, "which has booted from it"
    assert "disk.rescue" not in files(server), "so that it does not boot again"


def test_of_an_instance_without_a_domain_unrescue_forgets_the_volumes(nova: Nova) -> None:
    server = nova.spawned(disk(), disk(Role.VOLUME, volume=VOLUME))
    server.change(instance={"vm_state": "error"}, undefined=True)
    assert left(server.rescue(nova.image("a", **STABLE))) == RESCUED
    assert list(server.disks) == ["disk", VOLUME, "disk.rescue"]
    assert left(server.unrescue()) == BACK
    assert list(server.disks) == ["disk"]


def test_another_default_machine_type_is_the_rescued_instances_and_stays_in_its_record(nova: Nova) -> None:
    server = nova.spawned(configuration={"resume_guests_state_on_host_boot": True})
    assert (machine(server), server.record["system_metadata"]["image_hw_machine_type"]) == ("pc", "pc")
    server.configuration["libvirt.hw_machine_type"] = "x86_64=q35"
    server.rescue(nova.image("a", **STABLE))
    assert machine(server) == "q35"
    server.unrescue()
    assert (machine(server), server.record["system_metadata"]["image_hw_machine_type"]) == ("pc", "q35")
    server.boot_host()
    assert machine(server) == "q35", "by the first hard reboot"


def test_nova_confs_cache_modes_are_not_the_rescue_disks(nova: Nova) -> None:
    with nova.restarted({"libvirt.disk_cachemodes": "file=writethrough"}):
        server = nova.spawned(disk(), disk(Role.EPHEMERAL))
        assert caches(server) == {"disk": "writethrough", "disk.eph0": "writethrough"}
        server.rescue(nova.image("a", **STABLE))
        rescued = caches(server)
    assert rescued.pop("disk.rescue") in ("none", "writeback"), "Nova's choice where nova.conf says nothing"
    assert rescued == {"disk": "writethrough", "disk.eph0": "writethrough"}


def test_a_stopped_instance_runs_after_its_rescue(nova: Nova) -> None:
    server = nova.spawned()
    assert left(server.stop()) == ("stopped", None, True)
    assert left(server.rescue(nova.image("a", **STABLE))) == RESCUED
    assert left(server.unrescue()) == BACK


def test_tags_are_on_the_wrong_disks_in_a_legacy_rescue_and_after_it(nova: Nova) -> None:
    server = nova.spawned(disk(), disk(Role.VOLUME, volume=VOLUME), mapping={0: {"tag": "root"}, 1: {"tag": "data"}})
    normal = addresses(server)
    assert server.record["tags"] == {"root": normal["disk"], "data": normal[VOLUME]}
    server.rescue(nova.image("a", **LEGACY))
    rescued = addresses(server)
    wrong = {"root": rescued["disk.rescue"], "data": rescued["disk"]}
    assert server.record["tags"] == wrong
    server.unrescue()
    assert addresses(server) == normal
    assert server.record["tags"] == wrong, "as of the rescued domain"


def test_tags_are_on_their_disks_in_a_stable_rescue_and_its_addresses_stay(nova: Nova) -> None:
    server = nova.spawned(disk(), disk(Role.VOLUME, volume=VOLUME), mapping={0: {"tag": "root"}, 1: {"tag": "data"}})
    normal = addresses(server)
    server.rescue(nova.image("a", hw_rescue_bus="sata"))
    rescued = addresses(server)
    assert rescued["disk"] != normal["disk"], "a SATA controller pushes the disks on"
    assert server.record["tags"] == {"root": rescued["disk"], "data": rescued[VOLUME]}
    server.unrescue()
    assert addresses(server) == normal
    assert server.record["tags"] == {"root": rescued["disk"], "data": rescued[VOLUME]}


@pytest.mark.parametrize(("resumes", "disks"), [(False, ["disk", "disk.rescue"]), (True, ["disk"])])
def test_a_host_that_boots_again_leaves_the_state_and_may_start_the_instance_without_its_rescue(
    nova: Nova, *, resumes: bool, disks: list[str]
) -> None:
    server = nova.spawned(configuration={"resume_guests_state_on_host_boot": resumes})
    server.rescue(nova.image("a", **STABLE))
    server.boot_host()
    assert (server.record["vm_state"], server.record["is_on"], list(server.disks)) == ("rescued", resumes, disks)
    assert {"disk.rescue", "unrescue.xml"} < files(server)
    assert left(server.unrescue()) == BACK
    assert list(server.disks) == ["disk"]


@pytest.mark.parametrize("properties", [STABLE, LEGACY])
def test_no_disk_of_nova_is_encrypted(nova: Nova, properties: dict[str, str]) -> None:
    """No image backend of its libvirt driver can, and placement has no host for an instance that asks for it."""
    server = nova.spawned()
    encrypted = {"encrypted": True, "encryption_format": "luks", "encryption_secret_uuid": VOLUME}
    server.change(mapping={0: encrypted})
    assert left(server.rescue(nova.image("a", **properties))) == RESCUED
    assert server.domain.find(".//encryption") is None
    assert server.record["traits"]["COMPUTE_EPHEMERAL_ENCRYPTION_LUKS"] is False


@pytest.mark.parametrize(
    ("connection", "element"),
    [
        ({"multiattach": True}, "shareable"),
        ({"access_mode": "ro"}, "readonly"),
    ],
)
def test_volumes_shared_or_read_only_stay_so(nova: Nova, connection: dict[str, object], element: str) -> None:
    server = nova.spawned(disk(), disk(Role.VOLUME, volume=VOLUME), mapping=connected(**connection))
    before = ElementTree.tostring(server.disks["1"])
    assert server.disks["1"].find(element) is not None
    server.rescue(nova.image("a", **STABLE))
    assert ElementTree.tostring(server.disks["1"]) == before


def connected(multiattach: bool = False, access_mode: str = "rw", **fields: str) -> dict[int, dict[str, object]]:
    """The second disk as a block device of the host's."""
    data = {"device_path": "/dev/disk/by-id/1", "access_mode": access_mode}
    connection = {"driver_volume_type": "local", "serial": VOLUME, "multiattach": multiattach, "data": data}
    return {1: {"connection_info": json.dumps(connection), **fields}}


def test_a_lun_stays_one(nova: Nova) -> None:
    disks = (disk(bus="virtio"), disk(Role.VOLUME, volume=VOLUME, bus="scsi"))
    mapping = connected(device_type="lun")
    if nova.is_oldest:
        with pytest.raises(Refused, match="'lun' devices do not support the serial property"):
            nova.spawned(*disks, mapping=mapping, hw_scsi_model="virtio-scsi")
        return
    server = nova.spawned(*disks, mapping=mapping, hw_scsi_model="virtio-scsi")
    before = ElementTree.tostring(server.disks["1"])
    assert server.disks["1"].attrib["device"] == "lun"
    server.rescue(nova.image("a", **STABLE))
    assert ElementTree.tostring(server.disks["1"]) == before


def test_a_volume_can_be_detached_as_soon_as_unrescue_has_started_the_guest(nova: Nova) -> None:
    server = nova.spawned(disk(), disk(Role.VOLUME, volume=VOLUME))
    server.rescue(nova.image("a", **STABLE))
    assert_refused(server.may_detach(VOLUME), "nova-api", "Cannot detach_volume while the instance is in this state")
    server.unrescue()
    assert server.may_detach(VOLUME).refusal is None


def test_an_instance_that_boots_from_a_volume_is_rescued_by_its_own_properties_beside_another_instance(
    nova: Nova,
) -> None:
    server = nova.spawned(disk(volume=VOLUME))
    nova.spawned(disk(volume=OTHER_VOLUME), hw_scsi_model="virtio-scsi", hw_disk_bus="scsi")
    server.rescue(nova.image("a", **STABLE))
    assert server.domain.find("devices/controller[@type='scsi']") is None
