"""What a disk's source becomes in domain XML, whatever holds the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from harness.domain.disk_mapping import DiskMapping, MappedDisk, map_disks
from harness.domain.pinning import pinned
from harness.domain.placement import DiskSource, Encryption, Export, Placement, UefiFirmware
from harness.domain.rendering import NewDisk, render_disk, render_domain
from harness.domain.xml import disks_of, parse_domain, source_of
from harness.instance.storage.disk_factory import planned_sources
from harness.scenario.models import Instance
from harness.scenario.words import DeviceType, DiskBus, Role

from ..domain.test_disk_mapping import instance

KEY_UUID = "1b671a64-40d5-491e-99b0-da01ff1f3341"
LUKS = Encryption(KEY_UUID, Path("/instances/volume.passphrase"))
NBD = Export("nbd", "volume", 40001)
ISCSI = Export("iscsi", "iqn.2024-01.invalid.rescue-harness:volume/1", 40002)
FILE = Path("/instances/it's a <volume>.raw")
SOURCES = {
    "raw": DiskSource(FILE, "raw"),
    "qcow2": DiskSource(FILE, "qcow2"),
    "luks": DiskSource(FILE, "raw", LUKS),
    "luks-in-qcow2": DiskSource(FILE, "qcow2", LUKS),
    "nbd": DiskSource(FILE, "raw", export=NBD),
    "iscsi": DiskSource(FILE, "raw", export=ISCSI),
    "luks-over-nbd": DiskSource(FILE, "raw", LUKS, NBD),
    "luks-over-iscsi": DiskSource(FILE, "raw", LUKS, ISCSI),
}


def rendered(source: DiskSource, device: DeviceType = DeviceType.DISK) -> etree._Element:
    disk = MappedDisk("volume", Role.VOLUME, DiskBus.SATA, device, "sda")
    placement = Placement("rh-1", "uuid", "mac", "qemu", "/usr/bin/qemu", DiskMapping(()), {"volume": source})
    return render_disk(NewDisk(disk), placement)


@pytest.mark.parametrize("name", SOURCES)
def test_source_is_known_again_in_the_domain(name: str) -> None:
    assert source_of(rendered(SOURCES[name])) == SOURCES[name].defined_as


@pytest.mark.parametrize("name", SOURCES)
def test_format_is_that_of_the_file(name: str) -> None:
    driver = rendered(SOURCES[name]).find("driver")
    assert driver is not None
    assert driver.get("type") == SOURCES[name].format


@pytest.mark.parametrize("name", [name for name in SOURCES if "luks" in name])
def test_encrypted_disk_names_its_secret_and_no_passphrase(name: str) -> None:
    disk = rendered(SOURCES[name])
    encryption = disk.find("source/encryption")
    assert encryption is not None
    assert encryption.get("format") == "luks"
    assert [secret.attrib for secret in encryption] == [{"type": "passphrase", "uuid": KEY_UUID}]
    assert b".passphrase" not in etree.tostring(disk)


@pytest.mark.parametrize("name", [name for name in SOURCES if "luks" not in name])
def test_plain_disk_has_no_encryption(name: str) -> None:
    assert rendered(SOURCES[name]).find("source/encryption") is None


@pytest.mark.parametrize(("name", "port"), [("nbd", "40001"), ("iscsi", "40002")])
def test_served_disk_is_reached_over_loopback_and_says_nothing_of_the_file(name: str, port: str) -> None:
    disk = rendered(SOURCES[name])
    assert disk.get("type") == "network"
    assert [host.attrib for host in disk.findall("source/host")] == [{"name": "127.0.0.1", "port": port}]
    assert b"/instances" not in etree.tostring(disk)


def test_served_medium_is_read_only_to_the_guest() -> None:
    disk = rendered(SOURCES["nbd"], DeviceType.CDROM)
    assert disk.get("device") == "cdrom"
    assert disk.find("readonly") is not None


@pytest.mark.parametrize(
    ("root", "firmware", "first"),
    [({}, "bios", "hd"), ({"device": "cdrom"}, "bios", "cdrom"), ({}, "uefi", "hd")],
)
def test_instance_boots_from_the_kind_of_its_root_disk(root: dict[str, str], firmware: str, first: str) -> None:
    domain = rendered_domain(instance({"role": "root", **root}, "config_drive", firmware=firmware))
    assert [boot.get("dev") for boot in domain.findall("os/boot")] == [first]


@pytest.mark.parametrize("secure", [False, True])
def test_secure_boot_is_smm_and_a_guarded_loader(*, secure: bool) -> None:
    domain = rendered_domain(instance("root", machine="q35", firmware="uefi"), secure_boot=secure)
    assert (domain.find("os/loader[@secure='yes']") is not None) is secure
    assert (domain.find("features/smm[@state='on']") is not None) is secure


def test_the_root_is_the_first_disk_wherever_it_stands() -> None:
    domain = rendered_domain(instance({"role": "volume", "bus": "scsi"}, "root"))
    assert [target.get("dev") for target in domain.iterfind("devices/disk/target")] == ["vda", "sda"]


@pytest.mark.parametrize(
    ("properties", "model"),
    [
        ({"hw_pointer_model": "ps2mouse"}, "none"),
        ({"hw_pointer_model": "ps2mouse", "hw_usb_model": "qemu-xhci"}, "qemu-xhci"),
        ({"hw_usb_model": "nec-xhci"}, "nec-xhci"),
        ({}, None),
    ],
)
def test_a_usb_controller_that_is_asked_for_is_there_though_nothing_is_on_it(
    properties: dict[str, str], model: str | None
) -> None:
    (controller,) = rendered_domain(instance("root", properties=properties)).iterfind("devices/controller[@type='usb']")
    assert controller.get("model") == model


def rendered_domain(subject: Instance, *, secure_boot: bool = False) -> etree._Element:
    folder = Path("/instances")
    uefi = UefiFirmware(folder / "code", folder / "template", folder / "variables", secure_boot)
    mapping = map_disks(subject)
    sources = planned_sources(mapping, folder)
    placement = Placement("rh-1", "uuid", "52:54:00:00:00:01", "qemu", "/usr/bin/qemu", mapping, sources, uefi)
    return parse_domain(render_domain(subject, mapping.disks, placement))


LIVE = f"""\
<domain type='qemu' id='1'>
  <devices>
    <disk type='network' device='disk'>
      <source protocol='nbd' name='volume' tls='no' index='5'>
        <host name='127.0.0.1' port='40001'/>
        <encryption format='luks' engine='qemu'>
          <secret type='passphrase' uuid='{KEY_UUID}'/>
        </encryption>
      </source>
      <target dev='vdb' bus='virtio'/>
    </disk>
  </devices>
</domain>
"""


def test_rescue_keeps_server_and_secret_of_a_volume() -> None:
    before, (after,) = disks_of(parse_domain(LIVE))[0], disks_of(pinned(LIVE))
    assert source_of(after) == source_of(before)
    for path in ("source/host", "source/encryption", "source/encryption/secret"):
        kept, had = after.find(path), before.find(path)
        assert kept is not None
        assert had is not None
        assert kept.attrib == had.attrib


@pytest.mark.parametrize(
    ("disk", "defined_as"),
    [
        ({"role": "volume"}, "/instances/volume1.raw"),
        ({"role": "volume", "backend": "qcow2"}, "/instances/volume1.qcow2"),
        ({"role": "volume", "backend": "nbd"}, "nbd:volume1"),
        ({"role": "volume", "backend": "iscsi"}, "iscsi:iqn.2024-01.invalid.rescue-harness:volume1/1"),
        (
            {"role": "volume", "name": "a_b", "backend": "iscsi"},
            "iscsi:iqn.2024-01.invalid.rescue-harness:a.b/1",
        ),
    ],
)
def test_plan_defines_a_volume_as_a_run_would(disk: dict[str, str], defined_as: str) -> None:
    volume = list(planned_sources(map_disks(instance("root", disk)), Path("/instances")).values())[1]
    assert volume.defined_as == defined_as
    assert volume.encryption is None


def test_plan_defines_root_and_rescue_disk_too() -> None:
    root = {"role": "root", "from": "volume", "backend": "iscsi", "encryption": "luks"}
    sources = planned_sources(map_disks(instance(root, "swap")), Path("/instances"))
    assert list(sources) == ["root", "swap", "rescue"]
    assert sources["root"].export is not None
    assert sources["root"].encryption is not None
    assert len({source.defined_as for source in sources.values()}) == 3
