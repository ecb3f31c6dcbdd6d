"""Links below /dev/disk and NICs' names: as a real udev 252 made them in the guests of the samples, and by table."""

from pathlib import Path

import pytest

from harness.evidence.guest.collection import parse_inventory
from harness.evidence.guest.interface_names import PciNic, predictable_name
from harness.evidence.guest.links import (
    MODELLED_UDEV,
    AtaDisk,
    Links,
    LinkSource,
    SasDisk,
    ScsiDisk,
    ScsiPath,
    UsbDisk,
    VirtioBlock,
    computed_links,
)
from harness.evidence.guest.vpd import AtaIdentity, ScsiId
from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.prediction import link_contradictions

SAMPLES = Path(__file__).parents[3] / "samples"
PCI = "0000:03:00.0"
STICK = UsbDisk(
    interface="2.1:1.0",
    subclass=6,
    path=ScsiPath(0, 0, 0, 0),
    scsi_vendor="QEMU    ",
    scsi_model="QEMU HARDDISK   ",
    vendor="QEMU",
    product="QEMU USB HARDDRIVE",
    serial="1-0000:00:10.0-2.1",
)


def without_udev(raw: str) -> Inventory:
    return parse_inventory("\n".join(line for line in raw.split("\n") if "/dev/disk/by-" not in line))


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_computed_links_are_the_ones_udev_made(machine: str) -> None:
    raw = (SAMPLES / f"evidence-{machine}-udev.txt").read_text()
    real, computed = parse_inventory(raw), without_udev(raw)
    assert (real.links_from, computed.links_from) == ("udev", "computed")
    for device in real.block_devices:
        ours = computed.block_device(device.name)
        assert ours is not None
        # Two devices on one IDE port both want the port's link; who has it is decided by the order of arrival.
        settled = {link for link in device.by_path if not link.startswith("pci-0000:00:01.1-ata-") or "." in link[-2:]}
        assert set(ours.by_path) == settled, device.name
        # A CD-ROM's serial can be had through ioctls only, except where it is its USB device's.
        if device.kind == "cdrom" and device.bus != "usb":
            assert ours.by_id is None, device.name
        else:
            assert set(ours.by_id) == set(device.by_id), device.name


def udev_sample(machine: str, version: int) -> Inventory:
    raw = (SAMPLES / f"evidence-{machine}-udev.txt").read_text()
    return parse_inventory(raw.replace("settled yes\n", f"settled yes\nudev {version}\n", 1))


def with_links(inventory: Inventory, name: str, **links: tuple[str, ...]) -> Inventory:
    devices = [device.model_copy(update=links) if device.name == name else device for device in inventory.block_devices]
    return inventory.model_copy(update={"block_devices": tuple(devices)})


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_a_real_udev_does_not_contradict_the_model(machine: str) -> None:
    inventory = udev_sample(machine, MODELLED_UDEV)
    assert inventory.udev_version == MODELLED_UDEV
    assert all(device.computed_links is not None for device in inventory.block_devices)
    assert link_contradictions(State.NORMAL, inventory) == ()


def test_a_link_that_udev_made_otherwise_is_a_finding_about_the_model() -> None:
    inventory = with_links(udev_sample("q35", MODELLED_UDEV), "vdc", by_id=("virtio-other",))
    (finding,) = link_contradictions(State.RESCUED, inventory)
    assert (finding.claim, finding.device, finding.cause) == (ClaimName.LINKS, "p0", "model")
    assert (finding.before, finding.after) == ("virtio-part virtio-part-part1 virtio-part-part2", "virtio-other")


def test_another_udev_may_make_more_links_and_none_less() -> None:
    inventory = udev_sample("q35", MODELLED_UDEV + 5)
    (vdc,) = (device for device in inventory.block_devices if device.name == "vdc")
    assert link_contradictions(State.NORMAL, with_links(inventory, "vdc", by_id=(*vdc.by_id, "new-kind"))) == ()
    (finding,) = link_contradictions(State.NORMAL, with_links(inventory, "vdc", by_id=()))
    assert (finding.before, finding.after) == (" ".join(sorted(vdc.by_id)), "none")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            LinkSource("vda", PCI, VirtioBlock("root disk"), (1, 15)),
            Links(
                by_path=(
                    f"pci-{PCI}",
                    f"virtio-pci-{PCI}",
                    f"pci-{PCI}-part1",
                    f"virtio-pci-{PCI}-part1",
                    f"pci-{PCI}-part15",
                    f"virtio-pci-{PCI}-part15",
                ),
                by_id=("virtio-root_disk", "virtio-root_disk-part1", "virtio-root_disk-part15"),
            ),
            id="virtio",
        ),
        pytest.param(
            LinkSource("sda", PCI, ScsiDisk(ScsiPath(0, 0, 0, 1), ScsiId("0QEMU    QEMU HARDDISK   a/b", None))),
            Links((f"pci-{PCI}-scsi-0:0:0:1",), ("scsi-0QEMU_QEMU_HARDDISK_a_b",)),
            id="scsi with a serial udev has to tidy",
        ),
        pytest.param(
            LinkSource("sda", PCI, ScsiDisk(ScsiPath(1, 0, 2, 0), ScsiId("35000c50015ea71aa", "0x5000c50015ea71aa"))),
            Links((f"pci-{PCI}-scsi-1:0:2:0",), ("scsi-35000c50015ea71aa", "wwn-0x5000c50015ea71aa")),
            id="scsi with a wwn on the controller's second host",
        ),
        pytest.param(LinkSource("sda", PCI, ScsiDisk(None, None)), Links(), id="scsi over something else"),
        pytest.param(LinkSource("sda", PCI, SasDisk("3", 0, None)), Links((f"pci-{PCI}-sas-phy3-lun-0",)), id="sas"),
        pytest.param(
            LinkSource("sda", PCI, SasDisk("3", 0x412C, None)),
            Links((f"pci-{PCI}-sas-phy3-lun-0x412c000000000000",)),
            id="sas with a LUN of two bytes",
        ),
        pytest.param(
            LinkSource("sda", PCI, AtaDisk(2, 0, 0, AtaIdentity("QEMU HARDDISK", "QM00003", None))),
            Links((f"pci-{PCI}-ata-2", f"pci-{PCI}-ata-2.0"), ("ata-QEMU_HARDDISK_QM00003",)),
            id="sata",
        ),
        pytest.param(
            LinkSource("sda", PCI, AtaDisk(2, 4, 0, AtaIdentity("Disk", "", "0x5000c500aaaa0001"))),
            Links((f"pci-{PCI}-ata-2", f"pci-{PCI}-ata-2.4.0"), ("ata-Disk", "wwn-0x5000c500aaaa0001")),
            id="sata behind a port multiplier, without serial",
        ),
        pytest.param(
            LinkSource("sda", PCI, STICK),
            Links((f"pci-{PCI}-usb-0:2.1:1.0-scsi-0:0:0:0",), ("usb-QEMU_QEMU_HARDDISK_1-0000:00:10.0-2.1-0:0",)),
            id="usb",
        ),
        pytest.param(LinkSource("fd0", None, None), Links(), id="floppy"),
        pytest.param(
            LinkSource("vda", PCI, VirtioBlock(None)), Links((f"pci-{PCI}", f"virtio-pci-{PCI}")), id="no serial"
        ),
    ],
)
def test_links_of(source: LinkSource, expected: Links) -> None:
    links = computed_links([source])[source.name]
    assert (sorted(links.by_path), sorted(links.by_id)) == (sorted(expected.by_path), sorted(expected.by_id))


def test_a_usb_serial_udev_would_not_take_is_left_out() -> None:
    for serial in ("a,b", "é", None):
        stick = LinkSource("sda", PCI, UsbDisk(**{**STICK.__dict__, "serial": serial}))
        assert computed_links([stick])["sda"].by_id == ("usb-QEMU_QEMU_HARDDISK-0:0",)


def test_a_link_two_devices_would_fight_for_belongs_to_neither() -> None:
    links = computed_links(
        [
            LinkSource("sda", PCI, AtaDisk(1, 0, 0, AtaIdentity("Disk", "same", None))),
            LinkSource("sr0", PCI, AtaDisk(1, 0, 1, AtaIdentity("Disk", "same", None))),
        ]
    )
    assert links == {"sda": Links((f"pci-{PCI}-ata-1.0",)), "sr0": Links((f"pci-{PCI}-ata-1.1",))}


def nic(
    *path: str,
    multifunction: bool = False,
    onboard_index: int | None = None,
    bridges: tuple[str, ...] = (),
    slots: dict[str, str] | None = None,
    port: int = 0,
) -> PciNic:
    return PciNic(path, multifunction, False, onboard_index, port, None, frozenset(bridges), slots or {})


@pytest.mark.parametrize(
    ("interface", "name"),
    [
        pytest.param(nic("0000:00:03.0"), "enp0s3", id="by path"),
        pytest.param(nic("0000:00:03.0", slots={"3": "0000:00:03"}), "ens3", id="hotplug slot"),
        pytest.param(nic("0000:00:03.0", onboard_index=1, slots={"3": "0000:00:03"}), "eno1", id="onboard first"),
        pytest.param(nic("0000:00:1f.6", multifunction=True), "enp0s31f6", id="multifunction"),
        pytest.param(nic("0000:00:03.0", multifunction=True), "enp0s3f0", id="first of several functions"),
        pytest.param(nic("0000:00:02.0", "0000:01:00.0", slots={"0": "0000:01:00"}), "enp1s0", id="slot zero"),
        pytest.param(nic("0000:00:02.0", "0000:01:00.0", slots={"0-2": "0000:01:00"}), "enp1s0", id="doubled slot"),
        pytest.param(
            nic("0000:00:02.0", "0000:01:00.0", bridges=("0000:00:02.0",), slots={"2": "0000:00:02"}),
            "enp1s0",
            id="slot of a bridge above",
        ),
        pytest.param(nic("0001:00:03.0", port=1), "enP1p0s3d1", id="domain and port"),
        pytest.param(nic("nonsense"), None, id="no PCI address"),
    ],
)
def test_nic_name(interface: PciNic, name: str | None) -> None:
    assert predictable_name(interface) == name
