"""From what the collection script printed in real guests to an inventory, and what happens when it is damaged."""

import base64
import gzip
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import GuestError
from harness.evidence.guest.capture import Capture
from harness.evidence.guest.collection import (
    collection_script,
    parse_inventory,
    parse_writes,
    settled_inventory,
    write_script,
)
from harness.evidence.guest.hardware import lockdown, secure_boot
from harness.evidence.inventory import BlockDevice, Inventory, Partition
from harness.evidence.marker import data_offset, parse_data

SAMPLES = Path(__file__).parents[3] / "samples"
DROPBEAR_COMMAND_BYTES = 9000


@pytest.fixture(scope="module")
def pc() -> Inventory:
    return parse_inventory((SAMPLES / "evidence-pc.txt").read_bytes())


@pytest.fixture(scope="module")
def q35() -> Inventory:
    return parse_inventory((SAMPLES / "evidence-q35.txt").read_text())


def device(inventory: Inventory, disk: str) -> BlockDevice:
    return next(each for each in inventory.block_devices if each.marker and each.marker.disk == disk)


def test_the_system_is_described(pc: Inventory) -> None:
    assert pc.settled
    assert pc.kernel.startswith("6.1.")
    assert len(pc.boot_id) == 36
    assert "root=UUID=" in pc.command_line
    assert pc.cpu_model.startswith("QEMU TCG CPU")
    assert pc.dmi["sys_vendor"] == "QEMU"
    assert pc.dmi["chassis_serial"] == ""
    assert pc.links_from == "computed"
    assert pc.boot_medium == "vda"


def test_markers_tell_disks_apart(pc: Inventory) -> None:
    assert {each.marker.token for each in pc.block_devices if each.marker} >= {"tok-s0", "tok-p0"}
    found = {each.marker.disk: each.name for each in pc.block_devices if each.marker}
    assert found == {
        "f0": "fd0",
        "i0": "sda",
        "i2": "sdb",
        "l0": "sdc",
        "l1": "sdd",
        "s0": "sde",
        "s1": "sdf",
        "s2": "sdg",
        "u0": "sdh",
        "i1": "sr0",
        "sc": "sr2",
        "v2": "vdb",
        "p0": "vdc",
    }


def test_written_tokens_are_read_back(pc: Inventory) -> None:
    tokens = {each.name: each.data_token for each in pc.block_devices if each.data_token}
    assert tokens == {"sda": "written-pc", "vda": "it's", "vdb": "four-k", "fd0": "flop"}


@pytest.mark.parametrize(
    ("machine", "disk", "address"),
    [
        ("pc", "f0", "floppy 0"),
        ("pc", "i2", "pci 0000:00:01.1 ata 2.1"),
        ("pc", "l1", "pci 0000:00:12.0/0000:01:02.0 scsi 0:2:0"),
        ("pc", "s2", "pci 0000:00:04.0 scsi 0:3:16684"),
        ("pc", "u0", "pci 0000:00:01.2 usb 2"),
        ("pc", "v2", "pci 0000:00:12.0/0000:01:01.0"),
        ("q35", "i1", "pci 0000:00:1f.2 ata 4.0"),
        ("q35", "s0", "pci 0000:00:04.0/0000:03:00.0 scsi 0:0:0"),
        ("q35", "u0", "pci 0000:00:10.0 usb superspeed 2"),
        ("q35", "u1", "pci 0000:00:10.0 usb 3.2"),
        ("q35", "v2", "pci 0000:00:05.0/0000:04:00.0/0000:05:01.0"),
    ],
)
def test_address_holds_no_number_of_arrival(
    machine: str, disk: str, address: str, request: pytest.FixtureRequest
) -> None:
    assert device(request.getfixturevalue(machine), disk).address.in_full == address


@pytest.mark.parametrize(
    ("machine", "disk", "expected"),
    [
        ("pc", "f0", {"kind": "floppy", "bus": "floppy", "size_bytes": 1474560, "driver": "floppy", "removable": True}),
        ("pc", "i0", {"kind": "disk", "bus": "ata", "serial": "ide0", "vendor": "ATA", "driver": "ata_piix"}),
        ("pc", "i2", {"model": "My Model X", "serial": "QM00004", "hctl": "1:0:1:0"}),
        ("pc", "i1", {"kind": "cdrom", "sector_bytes": 2048, "read_only": True, "model": "QEMU DVD-ROM"}),
        ("pc", "s0", {"bus": "scsi", "serial": "SER S0", "wwn": None, "driver": "virtio_scsi", "hctl": "4:0:0:0"}),
        ("pc", "s1", {"serial": "abc", "wwn": "0x5000c50015ea71aa"}),
        ("pc", "s2", {"serial": None}),
        ("pc", "l0", {"driver": "sym53c8xx", "serial": "lsi0"}),
        ("pc", "v2", {"bus": "virtio", "sector_bytes": 4096, "size_bytes": 1 << 20, "driver": "virtio_blk"}),
        ("q35", "i0", {"driver": "ahci", "serial": "sataser", "wwn": "0x5000c500aaaa0001"}),
        (
            "q35",
            "u0",
            {"bus": "usb", "serial": "usbser", "driver": "usb-storage", "usb_port": "2-2", "removable": True},
        ),
        ("q35", "u1", {"serial": "1-0000:00:10.0-3.2", "usb_port": "1-3.2", "removable": False}),
        ("q35", "u2", {"kind": "cdrom", "bus": "usb", "model": "QEMU CD-ROM"}),
    ],
)
def test_identity(machine: str, disk: str, expected: dict[str, object], request: pytest.FixtureRequest) -> None:
    found = device(request.getfixturevalue(machine), disk)
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("disk", "unknown"),
    [("i0", ()), ("i1", ("serial", "wwn")), ("s2", ()), ("v2", ())],
    ids=["disk", "cdrom", "scsi", "virtio"],
)
def test_facts_that_sysfs_lacks_are_unknown(pc: Inventory, disk: str, unknown: tuple[str, ...]) -> None:
    assert device(pc, disk).unknown == unknown


def test_a_kernel_without_the_page_of_ata_disks_does_not_tell_their_serial_number() -> None:
    raw = (SAMPLES / "evidence-pc.txt").read_text()
    binary = raw[raw.index("%% binary") : raw.index("%% end")].split("\n", 1)[1]
    content = gzip.decompress(base64.b64decode(binary)).replace(b"vpd_pg89 <==", b"vpd_none <==")
    older = parse_inventory(raw.replace(binary, base64.b64encode(gzip.compress(content)).decode() + "\n"))
    assert (device(older, "i0").serial, device(older, "i0").unknown) == (None, ("serial", "wwn", "model"))
    assert device(older, "s0").unknown == ()


def test_partitions_and_mounts(pc: Inventory) -> None:
    assert device(pc, "p0").partitions == (
        Partition(name="vdc1", number=1, start_bytes=1 << 20, size_bytes=1 << 20),
        Partition(name="vdc2", number=2, start_bytes=2 << 20, size_bytes=512 << 10),
    )
    root = pc.block_device("vda")
    assert root is not None
    assert root.mounted_at == ("/medium",)


def test_a_drive_without_medium_has_no_size_and_no_marker(pc: Inventory) -> None:
    empty = pc.block_device("sr1")
    assert empty is not None
    assert (empty.kind, empty.size_bytes, empty.marker) == ("cdrom", 0, None)


def test_hardware(q35: Inventory) -> None:
    nics = {nic.mac: nic for nic in q35.network_interfaces}
    virtio = nics["52:54:00:00:00:01"]
    assert virtio.address.in_full == "pci 0000:00:03.0/0000:02:00.0"
    assert (virtio.name, virtio.predictable_name, virtio.driver) == ("eth1", "enp2s0", "virtio_net")
    assert nics["52:54:00:00:00:02"].predictable_name == "ens5"
    functions = {function.address: function for function in q35.pci_devices}
    assert functions["0000:05:01.0"].path == ("0000:00:05.0", "0000:04:00.0", "0000:05:01.0")
    assert functions["0000:00:1f.2"].class_code == "010601"
    assert functions["0000:03:00.0"].vendor_device == "1af4:1048"
    assert [(usb.port, usb.vendor_product) for usb in q35.usb_devices] == [
        ("1-1", "0627:0001"),
        ("1-3", "0409:55aa"),
        ("1-3.2", "46f4:0001"),
        ("2-2", "46f4:0001"),
        ("2-4", "46f4:0001"),
    ]


def test_swap_files_and_devices_are_listed() -> None:
    raw = (SAMPLES / "evidence-pc.txt").read_text()
    swaps = "/proc/swaps:/dev/vdb partition 1020 0 -2\n/proc/swaps:/swap\\040file file 4 0 -3\n"
    head = "/proc/swaps:Filename Type Size Used Priority\n"
    lines = [line for line in raw.split("\n") if not line.startswith("/proc/swaps:")]
    at = lines.index("%% links")
    text = "\n".join(lines[:at]) + "\n" + head + swaps + "\n".join(lines[at:])
    assert parse_inventory(text).active_swaps == ("vdb", "/swap file")


def test_a_guest_without_medium_mount_booted_from_its_root() -> None:
    raw = (SAMPLES / "evidence-pc.txt").read_text().replace("/dev/vda1 /medium", "/dev/vdc1 /")
    assert parse_inventory(raw).boot_medium == "vdc"


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        pytest.param(lambda text: "", "printed 'nothing'", id="nothing"),
        pytest.param(lambda text: "sh: syntax error", "syntax error", id="the shell's complaint only"),
        pytest.param(lambda text: text[: text.index("%% binary")], "before its section 'binary'", id="cut"),
        pytest.param(lambda text: text[: text.index("%% end")], "before its section 'end'", id="cut at the very end"),
        pytest.param(lambda text: text.replace("settled yes\n", ""), "had settled", id="settling unknown"),
        pytest.param(lambda text: text.replace("%% binary\n", "%% binary\nAAAA"), "binary section", id="damaged"),
        pytest.param(lambda text: text.replace("vda/size:65536", "vda/size:many"), "'many'", id="not a number"),
        pytest.param(lambda text: text.replace("random/boot_id", "random/uuid"), "boot_id is missing", id="no boot id"),
    ],
)
def test_damaged_output_is_an_error_that_says_what(damage: Callable[[str], str], complaint: str) -> None:
    text = (SAMPLES / "evidence-pc.txt").read_text()
    with pytest.raises(GuestError, match="unreadable") as caught:
        parse_inventory(damage(text))
    assert complaint in caught.value.message


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("settled no udev", "udev was still at work after 15 s"),
        ("settled no storage", "storage was announced that has no block device"),
        ("settled no", "did not settle"),
    ],
)
def test_a_guest_that_has_not_settled_is_not_judged(said: str, why: str) -> None:
    raw = (SAMPLES / "evidence-pc.txt").read_text().replace("settled yes", said)
    assert not parse_inventory(raw).settled
    with pytest.raises(GuestError, match="did not settle") as caught:
        settled_inventory(raw)
    assert why in caught.value.message


@pytest.mark.parametrize(("exit_status", "answer"), [(1, "1 udev"), (0, "0 storage")])
def test_an_udev_that_does_not_settle_in_time_is_noticed(tmp_path: Path, exit_status: int, answer: str) -> None:
    udevadm = tmp_path / "udevadm"
    udevadm.write_text(f"#!/bin/sh\nexit {exit_status}\n")
    udevadm.chmod(0o755)
    functions = collection_script().partition("tails() {")[0].replace("/sys/", f"{tmp_path}/sys/")
    script = f"PATH={tmp_path}:$PATH\n{functions}settle\necho $? $unsettled"
    done = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == answer


def test_output_of_the_write_script_may_come_first(pc: Inventory) -> None:
    raw = "rescue-harness-write vda ok\nrescue-harness-write sr0 failed\n" + (SAMPLES / "evidence-pc.txt").read_text()
    assert parse_inventory(raw) == pc
    assert parse_writes(raw) == {"vda": True, "sr0": False}


def test_scripts_fit_one_command_and_parse() -> None:
    tokens = {f"vd{chr(ord('a') + index)}": "t" * 36 for index in range(20)}
    script = write_script(tokens) + collection_script()
    assert len(script.encode()) < DROPBEAR_COMMAND_BYTES
    subprocess.run(["sh", "-n", "-c", script], check=True)


def test_the_write_script_writes_the_data_block_and_nothing_else(tmp_path: Path) -> None:
    written = "it's $(a) \\n %s token"
    for name, size in {"vda": 1 << 20, "vdb": (1 << 20) + 512}.items():
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).write_bytes(os.urandom(size))
        (tmp_path / "sys" / "block" / name).mkdir(parents=True)
        (tmp_path / "sys" / "block" / name / "size").write_text(f"{size // 512}\n")
    before = (tmp_path / "dev" / "vda").read_bytes()
    untouched = (tmp_path / "dev" / "vdb").read_bytes()
    script = write_script({"vda": written, "vdb": written, "vdc": written})
    script = script.replace("/dev/$1", f"{tmp_path}/dev/$1").replace("/sys/block/", f"{tmp_path}/sys/block/")
    output = subprocess.run(["sh", "-c", script], check=True, capture_output=True).stdout
    assert parse_writes(output) == {"vda": True, "vdb": False, "vdc": False}
    after = (tmp_path / "dev" / "vda").read_bytes()
    at = data_offset(len(before))
    assert parse_data(after[at : at + 4096]) == written
    assert after[:at] + after[at + 4096 :] == before[:at] + before[at + 4096 :]
    assert (tmp_path / "dev" / "vdb").read_bytes() == untouched
    assert not (tmp_path / "dev" / "vdc").exists()


@pytest.mark.parametrize(
    ("name", "token"), [("../vda", "t"), ("vda;reboot", "t"), ("", "t"), ("vda", "a\nb"), ("vda", "")]
)
def test_the_write_script_takes_only_kernel_names_and_lines(name: str, token: str) -> None:
    with pytest.raises(ValueError, match=r"kernel name|token"):
        write_script({name: token})


VARIABLE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@pytest.mark.parametrize(("value", "on"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False), (b"", None)])
def test_secure_boot_is_the_fifth_byte_of_its_variable(value: bytes, *, on: bool | None) -> None:
    capture = Capture(settled=True, without_medium=frozenset(), lines={}, links={}, blobs={VARIABLE: value})
    assert secure_boot(capture) is on


@pytest.mark.parametrize(
    ("text", "mode"), [("none [integrity] confidentiality", "integrity"), ("[none] integrity", "none"), ("", None)]
)
def test_lockdown_is_the_chosen_mode(text: str, mode: str | None) -> None:
    lines = {"/sys/kernel/security/lockdown": (text,)}
    assert lockdown(Capture(settled=True, without_medium=frozenset(), lines=lines, links={}, blobs={})) == mode
