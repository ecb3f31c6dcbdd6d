from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from harness.domain.disk_mapping import map_disks
from harness.domain.pinning import pinned
from harness.domain.placement import DiskSource, Placement, UefiFirmware
from harness.domain.xml import DriveAddress, address_text, controllers, devices_of, disk_target, disks_of, parse_domain
from harness.errors import Refused
from harness.implementation.protocol import Rescue, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage

from ...domain.test_disk_mapping import instance

SAMPLES = Path(__file__).parents[3] / "samples"
FULL = ("root", "ephemeral", "ephemeral", "swap", "volume", {"role": "volume", "bus": "scsi"}, "config_drive")
REQUESTS = {
    "usb": {"hw_rescue_bus": "usb"},
    "virtio": {"hw_rescue_bus": "virtio"},
    "scsi": {"hw_rescue_bus": "scsi"},
    "sata": {"hw_rescue_bus": "sata", "hw_rescue_device": "cdrom"},
    "cdrom": {"hw_rescue_device": "cdrom"},
    "floppy": {"hw_rescue_device": "floppy"},
}


def full(machine: str, **keys: Any) -> Instance:
    return instance(*FULL, machine=machine, properties={"hw_scsi_model": "virtio-scsi"}, **keys)


def placement(subject: Instance, *, uefi: bool = False, folder: Path = Path("/instances/full")) -> Placement:
    mapping = map_disks(subject)
    firmware = UefiFirmware(Path("/OVMF_CODE.fd"), Path("/OVMF_VARS.fd"), folder / "variables.fd")
    return Placement(
        domain_name="rh-1",
        uuid="b6186992-7207-4000-8000-000000000000",
        mac="52:54:00:b6:18:69",
        domain_type="qemu",
        emulator="/usr/bin/qemu-system-x86_64",
        mapping=mapping,
        sources={name: DiskSource(folder / name, "raw") for name in (*mapping.by_name, "rescue")},
        uefi=firmware if uefi else None,
        rescue_variables_path=folder / "variables-rescue.fd" if uefi else None,
    )


def live(machine: str) -> str:
    return (SAMPLES / f"live-{machine}.xml").read_text()


def rescued(
    machine: str,
    properties: dict[str, str],
    live_xml: str | None = None,
    *,
    usb_cdrom_is_disk: bool = True,
    **keys: Any,
) -> etree._Element:
    subject = full(machine, **keys)
    placed = replace(placement(subject), usb_cdrom_is_disk=usb_cdrom_is_disk)
    running = RunningInstance(subject, placed, live_xml or live(machine))
    reference = Reference(leaves_names_to_chance=True)
    return parse_domain(reference.rescued(running, RescueImage.model_validate({"properties": properties})).xml)


def places(root: etree._Element) -> list[tuple[str, str]]:
    return [
        (" ".join((str(device.tag), *device.attrib.values(), *_target(device))), address_text(device))
        for device in devices_of(root)
    ]


def _target(device: etree._Element) -> tuple[str, ...]:
    return disk_target(device) if device.tag == "disk" else ()


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("request_name", REQUESTS)
def test_every_device_keeps_its_address(machine: str, request_name: str) -> None:
    before = places(parse_domain(live(machine)))
    after = places(rescued(machine, REQUESTS[request_name]))
    assert [place for place in after if place in before] == before


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("request_name", REQUESTS)
def test_rescue_device_is_last_and_alone_in_the_boot_order(machine: str, request_name: str) -> None:
    root = rescued(machine, REQUESTS[request_name])
    assert [disk.find("source").get("file") for disk in disks_of(root)][-1] == "/instances/full/rescue"  # type: ignore[union-attr]
    assert [boot.get("order") for boot in root.findall("devices/*/boot")] == ["1"]
    assert disks_of(root)[-1].find("boot") is not None
    assert root.find("os/boot") is None


@pytest.mark.parametrize(
    ("machine", "request_name", "target", "address"),
    [
        ("pc", "usb", "sdb", "USB bus 0 port 2"),
        ("pc", "virtio", "vdf", "PCI 0000:00:0a.0"),
        ("pc", "scsi", "sdb", "drive 0:0:1:0"),
        ("pc", "sata", "sdb", "drive 0:0:0:0"),
        ("pc", "cdrom", "hdc", "drive 0:1:0:0"),
        ("pc", "floppy", "fda", "drive 0:0:0:0"),
        ("q35", "virtio", "vdf", "PCI 0000:0b:00.0"),
        ("q35", "scsi", "sdc", "drive 0:0:1:0"),
        ("q35", "cdrom", "sdc", "drive 0:0:0:2"),
    ],
)
def test_rescue_device_comes_after_all_others(machine: str, request_name: str, target: str, address: str) -> None:
    disk = disks_of(rescued(machine, REQUESTS[request_name]))[-1]
    assert disk_target(disk)[0] == target
    assert address_text(disk) == address


def test_controller_that_rescue_needs_goes_behind_everything() -> None:
    (ahci,) = controllers(rescued("pc", REQUESTS["sata"]), "sata")
    assert address_text(ahci) == "PCI 0000:00:0a.0"
    root = rescued("q35", REQUESTS["virtio"])
    port = controllers(root, "pci")[-1]
    assert (port.get("model"), port.get("index"), address_text(port)) == ("pcie-root-port", "11", "PCI 0000:00:02.1")


def test_uefi_gets_a_controller_that_ovmf_boots_from() -> None:
    lsilogic = live("pc").replace("model='virtio-scsi'", "model='lsilogic'")
    uefi = lsilogic.replace("<boot dev='hd'/>", "<loader type='pflash'>/OVMF_CODE.fd</loader><boot dev='hd'/>")
    models = [controller.get("model") for controller in controllers(rescued("pc", REQUESTS["scsi"], uefi), "scsi")]
    assert models == ["lsilogic", "virtio-scsi"]
    models = [controller.get("model") for controller in controllers(rescued("pc", REQUESTS["scsi"], lsilogic), "scsi")]
    assert models == ["lsilogic"]


@pytest.mark.parametrize("properties", [REQUESTS["usb"], {}], ids=["stable", "legacy"])
@pytest.mark.parametrize("folder", ["/instances/full", "/R&D/it's"])
def test_rescued_guest_writes_to_a_copy_of_the_uefi_variables(folder: str, properties: dict[str, str]) -> None:
    subject = full("pc", firmware="uefi")
    where = placement(subject, uefi=True, folder=Path(folder))
    assert where.uefi is not None
    nvram = f"<nvram>{escape(str(where.uefi.variables_path))}</nvram><boot dev='hd'/>"
    running = RunningInstance(subject, where, live("pc").replace("<boot dev='hd'/>", nvram))
    root = parse_domain(Reference().rescued(running, RescueImage.model_validate({"properties": properties})).xml)
    assert root.findtext("os/nvram") == str(where.rescue_variables_path)


def test_full_usb_controller_gets_a_second_one() -> None:
    taken = live("pc").replace("port='1'", "port='2'")
    root = rescued("pc", REQUESTS["usb"], taken)
    assert [controller.get("model") for controller in controllers(root, "usb")] == ["piix3-uhci", "qemu-xhci"]
    assert address_text(disks_of(root)[-1]) == "USB bus 1 port 1"


def test_full_lsilogic_controller_gets_a_virtio_one_beside_it() -> None:
    last_id = live("pc").replace("model='virtio-scsi'", "model='lsilogic'")
    last_id = last_id.replace("<target dev='sda' bus='scsi'/>", "<target dev='sda' bus='scsi'/><!-- volume2 -->")
    head, volume2 = last_id.split("<!-- volume2 -->")
    full_controller = head + volume2.replace("unit='0'", "unit='6'", 1)
    root = rescued("pc", REQUESTS["scsi"], full_controller)
    assert [controller.get("model") for controller in controllers(root, "scsi")] == ["lsilogic", "virtio-scsi"]
    assert address_text(disks_of(root)[-1]) == "drive 1:0:0:0"


def test_ide_without_a_place_behind_the_last_is_refused() -> None:
    full_bus = live("pc").replace("controller='0' bus='0' target='0' unit='0'/>", "@", 1)
    full_bus = full_bus.replace(
        "controller='0' bus='0' target='0' unit='0'", "controller='0' bus='1' target='0' unit='1'"
    )
    with pytest.raises(Refused, match="no place behind its last disk"):
        rescued("pc", REQUESTS["cdrom"], full_bus.replace("@", "controller='0' bus='0' target='0' unit='0'/>"))


def test_full_pci_bus_gets_a_bridge_in_a_gap_with_the_rescue_disk_behind_it() -> None:
    last = live("pc").replace("slot='0x09'", "slot='0x1f'")
    root = rescued("pc", REQUESTS["virtio"], last)
    new = controllers(root, "pci")[-1]
    assert (new.get("model"), address_text(new)) == ("pci-bridge", "PCI 0000:00:09.0")
    assert address_text(disks_of(root)[-1]) == "PCI 0000:01:01.0"


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_legacy_is_rescue_then_root_then_config_drive(machine: str) -> None:
    root = rescued(machine, {})
    disks = [(Path(disk.find("source").get("file", "")).name, *disk_target(disk)) for disk in disks_of(root)]  # type: ignore[union-attr]
    config_drive = ("hda", "ide") if machine == "pc" else ("sda", "sata")
    assert disks == [("rescue", "vda", "virtio"), ("root", "vdb", "virtio"), ("config_drive", *config_drive)]


def test_a_legacy_rescue_disk_gets_a_unit_only_on_scsi() -> None:
    iso_root = {"role": "root", "device": "cdrom"}
    properties = {"hw_scsi_model": "virtio-scsi", "hw_disk_bus": "usb", "hw_cdrom_bus": "scsi"}
    subject = Instance.model_validate({"disks": [iso_root], "properties": properties})
    running = RunningInstance(subject, placement(subject), live("pc"))
    disks = disks_of(parse_domain(Reference().rescued(running, RescueImage()).xml))
    assert [(disk_target(disk), DriveAddress.of(disk)) for disk in disks] == [
        (("sda", "usb"), None),
        (("sdb", "scsi"), DriveAddress(0, 0, 0, 0)),
    ]


def test_legacy_rescue_of_a_volume_backed_instance_is_refused() -> None:
    subject = instance({"role": "root", "from": "volume"})
    running = RunningInstance(subject, placement(subject), live("pc"))
    with pytest.raises(Refused, match="volume-backed"):
        Reference().rescued(running, RescueImage())


def test_unrescue_gives_back_what_was_saved_byte_for_byte() -> None:
    subject = full("pc")
    running = RunningInstance(subject, placement(subject), live("pc"))
    assert Reference().unrescued(Rescue(running, "<domain/>", live("pc"))) == live("pc")


def test_a_label_that_the_instance_defines_is_kept() -> None:
    label = "<seclabel type='static' model='dac' relabel='no'><label>+1:+1</label><imagelabel>+1:+1</imagelabel>"
    root = pinned(live("pc").replace("</domain>", f"{label}</seclabel></domain>"))
    assert [etree.tostring(each, encoding="unicode") for each in root.findall("seclabel")] == [
        '<seclabel type="static" model="dac" relabel="no"><label>+1:+1</label></seclabel>'
    ]


def test_nothing_of_a_running_domain_is_left_in_the_definition() -> None:
    root = rescued("pc", REQUESTS["usb"])
    assert root.get("id") is None
    assert root.findall("devices/*/alias") == []
    assert root.findall("devices/disk/backingStore") == []


def test_a_rescue_that_makes_a_name_uncertain_is_refused() -> None:
    subject = full("pc")
    running = RunningInstance(subject, placement(subject), live("pc"))
    with pytest.raises(Refused, match="kernel name of volume2 uncertain, sda -> sda or sdb"):
        Reference().rescued(running, RescueImage.model_validate({"properties": REQUESTS["scsi"]}))


def test_a_rescued_instance_does_not_keep_its_own_kernel() -> None:
    own = "<kernel>/boot/vmlinuz</kernel><initrd>/boot/initrd</initrd><cmdline>root=/dev/vda</cmdline><boot dev='hd'/>"
    root = rescued("pc", {"hw_rescue_bus": "virtio"}, live("pc").replace("<boot dev='hd'/>", own))
    assert [element.tag for element in root.find("os") if element.tag in ("kernel", "initrd", "cmdline")] == []  # type: ignore[union-attr]
