"""A domain's XML told in the guest's terms."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from harness.domain.xml import devices_of, disks_of, parse_domain, serialise, source_of
from harness.errors import HostError
from harness.evidence.address import GuestBus
from harness.evidence.inventory import DIRECT_KERNEL, NETWORK, Inventory
from harness.evidence.plan.domain_inventory import Sources, defined_inventory
from harness.scenario.words import Level

SAMPLES = Path(__file__).parents[3] / "samples"
DISKS = ("root", "ephemeral0", "ephemeral1", "swap", "volume1", "volume2", "config_drive")


def live(machine: str) -> etree._Element:
    return parse_domain((SAMPLES / f"live-{machine}.xml").read_text())


def sources(root: etree._Element, variables: str = "") -> Sources:
    names = {source_of(disk) or "": name for disk, name in zip(disks_of(root), DISKS, strict=True)}
    return Sources(names, {name: f"token-{name}" for name in DISKS}, frozenset({variables}))


def inventory(root: etree._Element, known: Sources | None = None, *, usb_cdrom_is_disk: bool = True) -> Inventory:
    known = known or sources(root)
    return defined_inventory(serialise(root), known, usb_cdrom_is_disk=usb_cdrom_is_disk)


PLACES = {
    "pc": {
        "root": ("vda", "disk", "virtio", "pci 0000:00:04.0"),
        "volume2": ("sda", "disk", "scsi", "pci 0000:00:03.0 scsi 0:0:0"),
        "config_drive": ("hda", "cdrom", "ata", "pci 0000:00:01.1 ata 1.0"),
    },
    "q35": {
        "root": ("vda", "disk", "virtio", "pci 0000:00:01.3/0000:05:00.0"),
        "volume2": ("sda", "disk", "scsi", "pci 0000:00:01.2/0000:04:00.0 scsi 0:0:0"),
        "config_drive": ("sdb", "cdrom", "ata", "pci 0000:00:1f.2 ata 2.0"),
    },
}


@pytest.mark.parametrize("machine", PLACES)
def test_disks_are_where_the_guest_will_see_them(machine: str) -> None:
    seen = inventory(live(machine))
    found = {
        device.marker.disk: (device.name, device.kind, device.bus, device.address.in_full)
        for device in seen.block_devices
        if device.marker is not None
    }
    assert {name: found[name] for name in PLACES[machine]} == PLACES[machine]
    assert seen.level is Level.PLAN
    assert set(found) == set(DISKS)


@pytest.mark.parametrize(
    ("model", "place"), [("virtio-scsi", "0:0:0"), ("lsisas1068", "0:0:0"), ("lsisas1078", "2:0:0")]
)
def test_a_scsi_disk_is_on_the_channel_that_its_driver_gives_it(model: str, place: str) -> None:
    root = live("pc")
    (controller,) = root.iterfind("devices/controller[@type='scsi']")
    controller.set("model", model)
    (address,) = (disk.address for disk in inventory(root).block_devices if disk.bus is GuestBus.SCSI)
    assert address.in_full == f"pci 0000:00:03.0 scsi {place}"


def test_bus_numbers_are_those_the_firmware_hands_out() -> None:
    """libvirt's bus 4 is the bridge behind the first root port: the guest's bus 2."""
    seen = inventory(live("q35"))
    tablet = next(device for device in seen.usb_devices)
    assert tablet.controller == "0000:02:01.0"
    assert seen.network_interfaces[0].address.in_full == "pci 0000:00:01.1/0000:03:00.0"


def test_what_libvirt_lacks_is_not_made_up() -> None:
    root = next(device for device in inventory(live("pc")).block_devices if device.name == "vda")
    assert (root.size_bytes, root.serial, root.by_path, root.by_id) == (None, None, None, None)


def test_a_file_nobody_knows_is_no_disk_of_the_case() -> None:
    root = live("pc")
    known = sources(root)
    source = disks_of(root)[0].find("source")
    assert source is not None
    source.set("file", "/elsewhere/root.qcow2")
    assert inventory(root, known).block_devices[0].marker is None


def boot_dev(root: etree._Element, device: str) -> None:
    boot = root.find("os/boot")
    assert boot is not None
    boot.set("dev", device)


def order(element: etree._Element | None, number: int) -> None:
    assert element is not None
    etree.SubElement(element, "boot", order=str(number))


def test_boot_dev_means_the_first_device_of_the_kind() -> None:
    root = live("pc")
    assert inventory(root).boot_medium == "vda"
    boot_dev(root, "cdrom")
    assert inventory(root).boot_medium == "hda"
    boot_dev(root, "network")
    assert inventory(root).boot_medium == NETWORK


def test_every_boot_dev_counts_in_its_turn() -> None:
    root = live("pc")
    boot_dev(root, "cdrom")
    for device in ("hd", "network"):
        etree.SubElement(root.find("os"), "boot", dev=device)  # type: ignore[arg-type]
    assert inventory(root).boot_order == ("hda", "vda", NETWORK)


def test_the_lowest_boot_order_boots_first() -> None:
    root = live("pc")
    order(disks_of(root)[0], 3)
    order(disks_of(root)[2], 2)
    assert inventory(root).boot_medium == "vdc"
    order(devices_of(root).find("interface"), 1)
    order(devices_of(root).find("controller"), 4)
    root.find("os").remove(root.find("os/boot"))  # type: ignore[union-attr, arg-type]
    assert inventory(root).boot_medium == NETWORK
    assert inventory(root).boot_order == (NETWORK, "vdc", "vda", "controller")


def test_a_kernel_of_its_own_boots_before_any_medium() -> None:
    root = live("pc")
    etree.SubElement(root.find("os"), "kernel").text = "/boot/vmlinuz"  # type: ignore[arg-type]
    assert inventory(root).boot_medium == DIRECT_KERNEL


@pytest.mark.parametrize(("old_libvirt", "kind"), [(True, "disk"), (False, "cdrom")])
def test_a_usb_cdrom_is_what_this_libvirt_makes_of_it(old_libvirt: bool, kind: str) -> None:
    root = live("pc")
    disk = etree.fromstring(
        "<disk type='file' device='cdrom'><source file='/instances/full/rescue'/><target dev='sdb' bus='usb'/>"
        "<readonly/><address type='usb' bus='0' port='2'/></disk>"
    )
    known = sources(root)
    devices_of(root).append(disk)
    device = inventory(root, known, usb_cdrom_is_disk=old_libvirt).block_device("sdb")
    assert device is not None
    assert (device.kind, device.address.in_full) == (kind, "pci 0000:00:01.2 usb 2")


@pytest.mark.parametrize("kind", ["tape", "DISK", ""])
def test_a_disk_of_a_kind_that_libvirt_does_not_have_is_told(kind: str) -> None:
    root = live("pc")
    disks_of(root)[0].set("device", kind)
    with pytest.raises(HostError, match=f"device '{kind}'"):
        inventory(root)


@pytest.mark.parametrize("bus", ["nvme", "sd", ""])
def test_a_bus_that_is_not_known_is_another_one(bus: str) -> None:
    root = live("pc")
    target = disks_of(root)[0].find("target")
    assert target is not None
    target.set("bus", bus)
    assert inventory(root).block_devices[0].bus is GuestBus.OTHER


def test_platform_holds_what_is_on_no_bus() -> None:
    facts = inventory(live("q35")).platform
    assert facts["machine"] == "pc-q35-7.2"
    assert facts["uuid"] == parse_domain((SAMPLES / "live-q35.xml").read_text()).findtext("uuid")
    assert facts["input 0@type"] == "mouse"
    assert facts["input 1@type"] == "keyboard"
    assert {"serial 0@type", "controller 0@model"} <= set(facts)
    assert not any("authorized_keys" in value for value in facts.values())


def test_a_copy_of_the_variables_is_still_the_instances() -> None:
    root = live("q35")
    nvram = etree.SubElement(root.find("os"), "nvram")  # type: ignore[arg-type]
    nvram.text = "/instances/full/copy.fd"
    assert inventory(root, sources(root, "/instances/full/copy.fd")).platform["UEFI variables"] == "the instance's"
    assert inventory(root, sources(root)).platform["UEFI variables"] == "others"


@pytest.mark.parametrize(
    ("change", "storage"),
    [
        ("", "raw"),
        ("<driver name='qemu' type='qcow2'/>", "qcow2"),
        ("<source file='/x'><encryption format='luks'/></source>", "raw encrypted luks"),
        ("<transient/>", "raw transient"),
        ("<source protocol='nbd' name='x'><host name='127.0.0.1' port='40001'/></source>", "raw from 127.0.0.1:40001"),
    ],
)
def test_how_the_bytes_of_a_disk_are_kept_is_told(change: str, storage: str) -> None:
    root = live("pc")
    volume = disks_of(root)[4]
    known = sources(root)
    if change:
        element = etree.fromstring(change)
        for old in volume.findall(str(element.tag)):
            volume.remove(old)
        volume.append(element)
    device = inventory(root, known).block_device("vde")
    assert device is not None
    assert device.storage == storage


def test_udev_names_a_network_interface_by_its_acpi_index() -> None:
    root = live("pc")
    assert inventory(root).network_interfaces[0].predictable_name is None
    etree.SubElement(devices_of(root).find("interface"), "acpi", index="7")
    assert inventory(root).network_interfaces[0].predictable_name == "eno7"


def test_platform_has_the_accelerator_and_what_attributes_say() -> None:
    root = live("pc")
    root.set("type", "kvm")
    root.find("vcpu").set("current", "1")  # type: ignore[union-attr]
    facts = inventory(root).platform
    assert facts["accelerator"] == "kvm"
    assert facts["vcpu"] == facts["vcpu@current"] == "1"
    assert facts["vcpu@placement"] == "static"


def test_novas_notes_are_its_own_and_others_are_not() -> None:
    root = live("pc")
    nova, other = "http://openstack.org/xmlns/libvirt/nova/1.1", "https://example.org/note"
    before = inventory(root).platform
    metadata = etree.SubElement(root, "metadata")
    notes = etree.SubElement(metadata, f"{{{nova}}}instance")
    etree.SubElement(notes, f"{{{nova}}}creationTime").text = "2026-01-01 00:00:00"
    assert inventory(root).platform == before | {"metadata": "present"}
    etree.SubElement(metadata, f"{{{other}}}note").text = "rescued"
    assert inventory(root).platform == before | {f"metadata/{{{other}}}note": "rescued"}
