"""Every claim on the rescued state against known-bad input, and quiet on input that keeps the promise."""

from __future__ import annotations

import pytest

from harness.evidence.address import AtaUnit, GuestBus, ScsiUnit, UsbUnit
from harness.evidence.inventory import NETWORK, Inventory, Partition, State
from harness.scenario.words import ClaimName
from harness.verdict.claims import CHECKS, compare_definitions, compare_rescued, compare_unrescued, joined
from harness.verdict.expected import HostEvidence
from harness.verdict.not_booted import why_unfit

from ..support.verdict_inventories import (
    AHCI,
    BALLOON,
    EHCI,
    EXPECTED,
    LEGACY,
    MEDIUM,
    NIC,
    NORMAL,
    RESCUED,
    SCSI,
    STICK,
    TABLET,
    UHCI,
    UNRESCUED,
    Key,
    address_of,
    block,
    changed,
    edited,
    function,
    keys,
    marker_of,
    nic,
    pci,
    plus,
    port,
    swapped,
    without,
)


def test_a_kept_promise_is_quiet() -> None:
    assert compare_rescued(NORMAL, RESCUED, EXPECTED) == ()
    assert compare_unrescued(NORMAL, RESCUED, UNRESCUED, EXPECTED, HostEvidence(domain_xml_equal=True)) == ()


OVERWRITTEN = changed(RESCUED, "root", marker=marker_of("rescue"))
SLOT_TRAITS = ("address", "hctl", "by_path")

TWIN = NIC.model_copy(update={"name": "eth1", "address": address_of("0000:00:02.6", "0000:07:00.0")})

BAD: dict[str, tuple[Inventory, set[Key]]] = {
    "the old root booted": (
        edited(RESCUED, boot_medium="vda", command_line=f"{MEDIUM}instance"),
        {("booted-from-rescue", "rescue", "rescue", "root")},
    ),
    "the old root boots if the rescue medium does not": (
        edited(RESCUED, boot_order=("sdc", "vda")),
        {("booted-from-rescue", "root", "no boot order", "boot order 2")},
    ),
    "the network boots if neither does": (
        edited(RESCUED, boot_order=("sdc", "vda", NETWORK)),
        {
            ("booted-from-rescue", "root", "no boot order", "boot order 2"),
            ("booted-from-rescue", NETWORK, "no boot order", "boot order 3"),
        },
    ),
    "the rescue kernel mounted the old root": (
        edited(RESCUED, boot_medium="vda"),
        {("booted-from-rescue", "rescue", "rescue", "root")},
    ),
    "the instance's kernel mounted the rescue medium": (
        edited(RESCUED, command_line=f"quiet {MEDIUM}instance"),
        {("booted-from-rescue", "rescue", f"{MEDIUM}rescue", f"{MEDIUM}instance")},
    ),
    "nothing says which medium booted": (
        edited(RESCUED, boot_medium=None),
        {("booted-from-rescue", "rescue", "rescue", "unknown")},
    ),
    "the guest was never rebooted": (
        edited(RESCUED, boot_id="normal"),
        {("booted-from-rescue", "guest", "new boot", "same boot")},
    ),
    "a volume dropped": (
        without(RESCUED, "volume2"),
        {("all-present", "volume2", "present", "missing")},
    ),
    "two names exchanged": (
        swapped(RESCUED, "volume1", "volume2", "name"),
        {("names", "volume1", "sda", "sdb"), ("names", "volume2", "sdb", "sda")},
    ),
    "a PCI slot moved": (
        changed(RESCUED, "root", address=address_of("0000:00:02.2", "0000:07:00.0")),
        {("addresses", "root", "0000:03:00.0", "0000:07:00.0")},
    ),
    "a LUN moved": (
        changed(RESCUED, "volume2", address=address_of("0000:00:02.4", SCSI, unit=ScsiUnit(lun=3)), hctl="2:0:0:3"),
        {("addresses", "volume2", "0:0:2", "0:0:3")},
    ),
    "a link vanished": (
        changed(RESCUED, "volume1", by_id=()),
        {("links", "volume1", "scsi-id-1", "none")},
    ),
    "a link points to another disk": (
        swapped(RESCUED, "volume1", "volume2", "by_id"),
        {("links", "volume1", "scsi-id-1", "scsi-id-2"), ("links", "volume2", "scsi-id-2", "scsi-id-1")},
    ),
    "a serial lost": (
        changed(RESCUED, "volume1", serial=None),
        {("identity", "volume1", "serial id-1", "serial none")},
    ),
    "a disk grown": (
        changed(RESCUED, "ephemeral0", size_bytes=32 << 20),
        {("identity", "ephemeral0", f"size {16 << 20}", f"size {32 << 20}")},
    ),
    "kept in another format": (
        changed(RESCUED, "volume1", storage="raw"),
        {("identity", "volume1", "storage unknown", "storage raw")},
    ),
    "sectors of 4096 bytes": (
        changed(RESCUED, "volume1", sector_bytes=4096),
        {("identity", "volume1", "sector size 512", "sector size 4096")},
    ),
    "a disk throttled": (
        changed(RESCUED, "volume1", settings={"iotune/read_iops_sec": "100"}),
        {("identity", "volume1", "iotune/read_iops_sec none", "iotune/read_iops_sec 100")},
    ),
    "a disk made read-only": (
        changed(RESCUED, "volume1", read_only=True),
        {("identity", "volume1", "access writable", "access read-only")},
    ),
    "a partition lost": (
        changed(RESCUED, "root", partitions=()),
        {("identity", "root", f"partitions 1@{1 << 20}+{30 << 20}", "partitions none")},
    ),
    "replaced by an empty disk of the same size": (
        changed(RESCUED, "volume1", marker=None, size_bytes=4096),
        {("content", "volume1", "volume1", "no marker")},
    ),
    "replaced by a disk of another case": (
        changed(RESCUED, "volume1", marker=marker_of("volume1", "of another case")),
        {("content", "volume1", "volume1", "foreign marker")},
    ),
    "rescue image written into the root disk": (
        OVERWRITTEN,
        {("content", "root", "root", "rescue"), ("content", "rescue", "1 copy", "2 copies")},
    ),
    "the overwritten root disk booted": (
        edited(OVERWRITTEN, boot_medium="vda"),
        {
            ("content", "root", "root", "rescue"),
            ("content", "rescue", "1 copy", "2 copies"),
            ("booted-from-rescue", "rescue", "rescue", "root"),
        },
    ),
    "one volume's backing file given to two": (
        changed(RESCUED, "volume2", marker=marker_of("volume1")),
        {("content", "volume2", "volume2", "volume1"), ("content", "volume1", "1 copy", "2 copies")},
    ),
    "a device that nobody asked for": (
        plus(RESCUED, block("vdc", None, "0000:00:02.6", "0000:07:00.0")),
        {("only-addition", "vdc", "missing", "present")},
    ),
    "no rescue device": (
        without(RESCUED, "rescue"),
        {
            ("only-addition", "rescue", "present", "missing"),
            ("booted-from-rescue", "rescue", "rescue", "unmarked"),
            ("other-hardware", EHCI, "missing", "present"),
            ("other-hardware", "0000:00:1d.1", "missing", "present"),
            ("other-hardware", "usb 46f4:0001", "missing", "present"),
        },
    ),
    "a NIC renamed": (nic(RESCUED, name="eth1"), {("other-hardware", "nic0", "eth0", "eth1")}),
    "a NIC with another MAC": (
        nic(RESCUED, mac="52:54:00:00:00:02"),
        {("other-hardware", "nic0", "MAC 52:54:00:00:00:01", "MAC 52:54:00:00:00:02")},
    ),
    "a NIC moved": (
        nic(RESCUED, address=address_of("0000:00:02.1", "0000:08:00.0"), predictable_name="enp8s0"),
        {
            ("other-hardware", "nic0", "0000:01:00.0", "0000:08:00.0"),
            ("other-hardware", "nic0", "predictable name enp1s0", "predictable name enp8s0"),
        },
    ),
    "a NIC unplugged": (
        nic(RESCUED, settings={"link@state": "down"}),
        {("other-hardware", "nic0", "link@state none", "link@state down")},
    ),
    "a NIC twice": (
        edited(RESCUED, network_interfaces=(NIC, TWIN)),
        {("other-hardware", "eth1", "missing", "present")},
    ),
    "a NIC twice, the second found first": (
        edited(RESCUED, network_interfaces=(TWIN, NIC)),
        {("other-hardware", "eth1", "missing", "present")},
    ),
    "no NIC": (edited(RESCUED, network_interfaces=()), {("other-hardware", "nic0", "present", "missing")}),
    "another UUID": (
        edited(RESCUED, dmi=NORMAL.dmi | {"product_uuid": "uuid-2"}),
        {("other-hardware", "dmi", "product_uuid uuid-1", "product_uuid uuid-2")},
    ),
    "another CPU": (
        edited(RESCUED, cpu_model="Haswell"),
        {("other-hardware", "cpu", "model QEMU Virtual CPU", "model Haswell")},
    ),
    "secure boot off": (
        edited(RESCUED, secure_boot=False),
        {("other-hardware", "firmware", "secure boot on", "secure boot off")},
    ),
    "another firmware": (
        edited(RESCUED, firmware="bios", secure_boot=None),
        {("other-hardware", "firmware", "interface uefi", "interface bios")},
    ),
    "a text of SMBIOS gone": (
        edited(RESCUED, kernel="6.12.0", dmi={"sys_vendor": "OpenStack"}),
        {("other-hardware", "dmi", "product_uuid uuid-1", "product_uuid none")},
    ),
    "SMBIOS gone under the same kernel": (
        edited(RESCUED, dmi={}),
        {
            ("other-hardware", "dmi", "product_uuid uuid-1", "product_uuid none"),
            ("other-hardware", "dmi", "sys_vendor OpenStack", "sys_vendor none"),
        },
    ),
    "the balloon moved": (
        pci(RESCUED, BALLOON.address, function("0000:07:00.0", "1af4:1045", "00ff00", "0000:00:02.6"), port(6)),
        {
            ("other-hardware", BALLOON.address, BALLOON.address, "0000:07:00.0"),
            ("other-hardware", "0000:00:02.6", "missing", "present"),
        },
    ),
    "another controller model": (
        pci(RESCUED, SCSI, function(SCSI, "1000:0012", "010000", "0000:00:02.4")),
        {
            (
                "other-hardware",
                SCSI,
                "1af4:1048 subsystem 1af4:1100 class 010000",
                "1000:0012 subsystem 1af4:1100 class 010000",
            )
        },
    ),
    "a balloon set otherwise": (
        pci(RESCUED, BALLOON.address, BALLOON.model_copy(update={"settings": {"stats@period": "60"}})),
        {("other-hardware", BALLOON.address, "stats@period none", "stats@period 60")},
    ),
    "the balloon moved and set otherwise": (
        pci(
            RESCUED,
            BALLOON.address,
            function("0000:07:00.0", "1af4:1045", "00ff00", "0000:00:02.5").model_copy(
                update={"settings": {"stats@period": "60"}}
            ),
        ),
        {
            ("other-hardware", BALLOON.address, BALLOON.address, "0000:07:00.0"),
            ("other-hardware", BALLOON.address, "stats@period none", "stats@period 60"),
        },
    ),
    "the balloon gone": (pci(RESCUED, BALLOON.address), {("other-hardware", BALLOON.address, "present", "missing")}),
    "the tablet set otherwise": (
        edited(RESCUED, usb_devices=(TABLET.model_copy(update={"settings": {"driver@iommu": "on"}}), STICK)),
        {("other-hardware", "usb 0627:0001", "driver@iommu none", "driver@iommu on")},
    ),
    "the tablet moved": (
        edited(RESCUED, usb_devices=(TABLET.model_copy(update={"port": "1-2"}), STICK)),
        {("other-hardware", "usb 0627:0001", "port 1", "port 2")},
    ),
}


@pytest.mark.parametrize(("rescued", "expected_keys"), BAD.values(), ids=BAD.keys())
def test_broken_promise_is_a_finding_of_the_claim_that_names_it(rescued: Inventory, expected_keys: set[Key]) -> None:
    assert keys(compare_rescued(NORMAL, rescued, EXPECTED)) == expected_keys


@pytest.mark.parametrize(("bad", "expected_keys"), BAD.values(), ids=BAD.keys())
def test_what_breaks_a_rescue_is_no_restoration_either(bad: Inventory, expected_keys: set[Key]) -> None:
    left = tuple(device for device in bad.block_devices if device.name != "sdc")
    unrescued = edited(bad, block_devices=left, boot_id="unrescued", boot_medium="vda", command_line="")
    found = compare_unrescued(NORMAL, RESCUED, unrescued, EXPECTED)
    broken = {key[1:] for key in expected_keys if key[0] != "booted-from-rescue" and key[1] != "rescue"}
    assert broken <= {key[1:] for key in keys(found) if key[0] == "restored"}


def test_every_claim_has_known_bad_input() -> None:
    red = {key[0] for _, expected_keys in BAD.values() for key in expected_keys}
    assert red == {claim.value for claim in CHECKS}
    assert set(ClaimName) - set(CHECKS) == {ClaimName.RESTORED, ClaimName.DATA}


def test_two_disks_in_each_others_slots_are_caught_by_address_and_content() -> None:
    normal = changed(changed(NORMAL, "volume1", serial=None), "volume2", serial=None)
    rescued = swapped(
        changed(changed(RESCUED, "volume1", serial=None), "volume2", serial=None),
        "volume1",
        "volume2",
        *SLOT_TRAITS,
        "name",
    )
    assert {d.address for d in normal.block_devices} < {d.address for d in rescued.block_devices}
    found = keys(compare_rescued(normal, rescued, EXPECTED))
    assert {
        ("addresses", "volume1", "0:0:1", "0:0:2"),
        ("addresses", "volume2", "0:0:2", "0:0:1"),
        ("names", "volume1", "sda", "sdb"),
        ("content", "volume1", "volume1", "volume2"),
        ("content", "volume2", "volume2", "volume1"),
    } <= found


def test_a_changed_kernel_name_alone_moves_no_link_and_no_partition() -> None:
    partitions = (Partition(name="vdz1", number=1, start_bytes=1 << 20, size_bytes=30 << 20),)
    found = compare_rescued(NORMAL, changed(RESCUED, "root", name="vdz", partitions=partitions), EXPECTED)
    assert keys(found) == {("names", "root", "vda", "vdz")}


def test_a_setting_that_says_none_is_not_a_setting_that_is_not_there() -> None:
    normal = changed(NORMAL, "root", settings={"driver@cache": "none", "driver@io": ""})
    found = compare_rescued(normal, changed(RESCUED, "root", settings={}), EXPECTED)
    assert keys(found) == {("identity", "root", "driver@cache none", "driver@cache not set")}
    back = compare_rescued(
        changed(NORMAL, "root", settings={}), changed(RESCUED, "root", settings={"a": "none"}), EXPECTED
    )
    assert keys(back) == {("identity", "root", "a not set", "a none")}


def test_how_a_disk_is_stored_is_compared_of_definitions_too() -> None:
    normal = changed(NORMAL, "volume1", storage="raw from 10.0.0.1:10809")
    rescued = changed(RESCUED, "volume1", storage="raw from 10.0.0.2:10809")
    (finding,) = compare_definitions({State.NORMAL: normal, State.RESCUED: rescued}, EXPECTED)
    assert str(finding) == "volume1: storage raw from 10.0.0.1:10809 -> raw from 10.0.0.2:10809"


def test_a_field_of_dmi_that_only_one_of_two_kernels_knows_is_no_change() -> None:
    dmi = NORMAL.dmi | {"bios_release": "0.0"}
    newer = edited(RESCUED, kernel="6.12.0", dmi=dmi)
    assert compare_rescued(NORMAL, newer, EXPECTED) == ()
    assert keys(compare_rescued(NORMAL, edited(newer, kernel=NORMAL.kernel), EXPECTED)) == {
        ("other-hardware", "dmi", "bios_release none", "bios_release 0.0")
    }
    other = edited(newer, dmi=dmi | {"product_uuid": "uuid-2"})
    assert {finding.device for finding in compare_rescued(NORMAL, other, EXPECTED)} == {"dmi"}


MESSAGES = {
    "PCI": (BAD["a PCI slot moved"][0], "root: PCI 0000:03:00.0 -> 0000:07:00.0"),
    "SCSI": (BAD["a LUN moved"][0], f"volume2: SCSI 0:0:2 -> 0:0:3 on PCI {SCSI}"),
    "bridge": (
        changed(RESCUED, "root", address=address_of("0000:00:02.7", "0000:03:00.0")),
        "root: PCI path 0000:00:02.2/0000:03:00.0 -> 0000:00:02.7/0000:03:00.0",
    ),
    "bus": (
        changed(
            RESCUED, "volume2", bus=GuestBus.USB, address=address_of(UHCI, unit=UsbUnit(ports="2")), usb_port="1-2"
        ),
        f"volume2: PCI {SCSI} SCSI 0:0:2 -> PCI {UHCI} USB port 2",
    ),
    "boot": (
        BAD["the rescue kernel mounted the old root"][0],
        "rescue: booted from root (vda), not from the rescue medium; the kernel came from the rescue image",
    ),
}


@pytest.mark.parametrize(("rescued", "sentence"), MESSAGES.values(), ids=MESSAGES.keys())
def test_sentences_show_the_difference_and_no_more(rescued: Inventory, sentence: str) -> None:
    assert sentence in [str(finding) for finding in compare_rescued(NORMAL, rescued, EXPECTED)]


def test_legacy_rescue_shows_the_movements_the_blueprint_complains_of() -> None:
    root = next(device for device in NORMAL.block_devices if device.name == "vda")
    ephemeral = next(device for device in NORMAL.block_devices if device.name == "vdb")
    place = {trait: getattr(ephemeral, trait) for trait in ("name", "address", "by_path")}
    rescue = root.model_copy(update={"marker": marker_of("rescue"), "partitions": ()})
    config = next(device for device in NORMAL.block_devices if device.name == "sr0")
    rescued = edited(
        NORMAL,
        boot_id="rescued",
        command_line=f"{MEDIUM}rescue",
        block_devices=(rescue, root.model_copy(update=place), config),
    )
    found = compare_rescued(NORMAL, rescued, LEGACY)
    assert {key for key in keys(found) if key[0] != "links"} == {
        ("names", "root", "vda", "vdb"),
        ("addresses", "root", "0000:03:00.0", "0000:04:00.0"),
        ("content", "root", "root", "rescue"),
        ("content", "ephemeral0", "ephemeral0", "root"),
        *(("all-present", disk, "present", "missing") for disk in ("ephemeral0", "volume1", "volume2")),
    }


def test_a_disk_whose_marker_the_normal_state_lacks_is_not_passed_over() -> None:
    normal, rescued = changed(NORMAL, "volume1", marker=None), RESCUED
    assert ("all-present", "volume1", "missing", "present") in keys(compare_rescued(normal, rescued, EXPECTED))


def test_unmarked_devices_of_the_normal_state_are_followed_by_address() -> None:
    drive = block("sr1", None, AHCI, unit=AtaUnit(port=2), bus="ata", kind="cdrom")
    assert compare_rescued(plus(NORMAL, drive), plus(RESCUED, drive), EXPECTED) == ()
    renamed = drive.model_copy(update={"name": "sr2"})
    assert keys(compare_rescued(plus(NORMAL, drive), plus(RESCUED, renamed), EXPECTED)) == {
        ("names", "sr1", "sr1", "sr2")
    }
    assert keys(compare_rescued(plus(NORMAL, drive), RESCUED, EXPECTED)) == {
        ("all-present", "sr1", "present", "missing")
    }


def test_what_the_instance_itself_boots_from_is_no_finding_against_the_rescue() -> None:
    elsewhere = edited(NORMAL, boot_medium="sda")
    assert not compare_rescued(elsewhere, RESCUED, EXPECTED)
    told = why_unfit(elsewhere, EXPECTED)
    assert told is not None
    assert told.startswith("booted from volume1 (sda), not from root, in the normal state")
    assert why_unfit(NORMAL, EXPECTED) is None


def test_the_rescue_disk_alone_is_told_to_boot() -> None:
    alone = edited(RESCUED, boot_order=("sdc",))
    assert compare_rescued(edited(NORMAL, boot_order=("vda", NETWORK)), alone, EXPECTED) == ()


def test_the_boot_order_of_definitions_is_compared_for_both_states() -> None:
    normal, rescued = edited(NORMAL, boot_order=("vda",)), edited(RESCUED, boot_order=("sdc", "vda"))
    unrescued = edited(UNRESCUED, boot_order=("vda", NETWORK))
    found = compare_definitions({State.NORMAL: normal, State.RESCUED: rescued, State.UNRESCUED: unrescued}, EXPECTED)
    assert keys(found) == {
        ("booted-from-rescue", "root", "no boot order", "boot order 2"),
        ("restored", "domain", "root", "root, then network"),
    }


def test_settings_of_definitions_are_compared_for_both_states() -> None:
    throttled = changed(RESCUED, "volume1", settings={"iotune/read_iops_sec": "100"})
    found = compare_definitions({State.NORMAL: NORMAL, State.RESCUED: throttled, State.UNRESCUED: throttled}, EXPECTED)
    assert [(finding.claim, finding.aspect) for finding in found] == [
        (ClaimName.IDENTITY, None),
        (ClaimName.RESTORED, ClaimName.IDENTITY),
    ]
    assert len(joined(found, found)) == len(found)
