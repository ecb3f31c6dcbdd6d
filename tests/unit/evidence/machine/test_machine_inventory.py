"""What a paused QEMU answered, told in the guest's terms, and laid beside what the same domain's XML says."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HostError
from harness.evidence.address import Address, FloppyUnit, GuestBus, UsbUnit
from harness.evidence.inventory import DIRECT_KERNEL, NETWORK, BlockDevice, Inventory, PciDevice
from harness.evidence.machine.machine_inventory import machine_inventory
from harness.evidence.plan.domain_inventory import Sources, defined_inventory
from harness.scenario.words import Level

SAMPLES = Path(__file__).parents[3] / "samples"
DISKS = ("root", "ephemeral0", "ephemeral1", "swap", "volume1", "volume2", "config_drive", "rescue")
SOURCES = Sources(
    {f"/instances/{name}": name for name in DISKS},
    {name: f"token-{name}" for name in DISKS},
    frozenset({"/instances/uefi-variables.fd"}),
)
MACHINES = ("machine-pc", "machine-q35", "machine-usb-cdrom")
TREE = ("human-monitor-command", {"command-line": "info qtree"})
MEBIBYTE = 1 << 20


@dataclass
class Recorded:
    """A machine's answers, changed at will, and its live XML."""

    answers: list[dict[str, Any]]
    live_xml: str

    def query(self, command: str, **arguments: object) -> Any:
        answer = self.answer(command, arguments)
        return "\n".join(answer["return"]) if (command, arguments) == TREE else answer["return"]

    def answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        for answer in self.answers:
            if (answer["execute"], answer["arguments"]) == (command, arguments):
                return answer
        raise AssertionError(f"asked for what is not recorded: {command} {arguments}")

    def answers_with(self, value: object, command: str, **arguments: object) -> None:
        known = [each for each in self.answers if (each["execute"], each["arguments"]) == (command, arguments)]
        for answer in known:
            answer["return"] = value
        if not known:
            self.answers.append({"execute": command, "arguments": arguments, "return": value})

    def boots(self, path: str, index: int, name: str = "bootindex") -> None:
        path = path if path.startswith("/") else f"/machine/peripheral/{path}"
        self.answers_with(index, "qom-get", path=path, property=name)

    def boots_nothing(self) -> None:
        for answer in self.answers:
            if answer["arguments"].get("property") == "bootindex":
                answer["return"] = -1

    @property
    def lines(self) -> list[str]:
        lines: list[str] = self.answer(*TREE)["return"]
        return lines

    def changes_line(self, old: str, new: str) -> None:
        index = next(index for index, line in enumerate(self.lines) if old in line)
        self.lines[index] = self.lines[index].replace(old, new)

    @property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.answer("query-block", {})["return"]
        return blocks

    def block(self, source: str) -> dict[str, Any]:
        return next(block for block in self.blocks if block.get("inserted", {}).get("file") == source)

    def adds_disk(self, before: str, new: tuple[str, ...], source: str | None) -> None:
        """Put a device into the tree above the line that has ``before``, with its indent; its id is in ``new[0]``."""
        index = next(index for index, line in enumerate(self.lines) if before in line)
        indent = " " * (len(self.lines[index]) - len(self.lines[index].lstrip()))
        self.lines[index:index] = [indent + line for line in new]
        device_id = new[0].split('"')[1]
        inserted = {"file": source, "ro": False, "image": {"virtual-size": MEBIBYTE}}
        self.blocks.append({"qdev": device_id, "removable": False} | ({} if source is None else {"inserted": inserted}))
        self.boots(device_id, -1)

    def inventory(self, sources: Sources = SOURCES) -> Inventory:
        return machine_inventory(self.query, self.live_xml, sources)

    def disk(self, name: str) -> BlockDevice:
        device = self.inventory().block_device(name)
        assert device is not None
        return device


def recorded(name: str) -> Recorded:
    answers = json.loads((SAMPLES / f"{name}.json").read_text())
    return Recorded(copy.deepcopy(answers), (SAMPLES / f"{name}.xml").read_text())


@pytest.fixture
def pc() -> Recorded:
    return recorded("machine-pc")


@pytest.fixture
def q35() -> Recorded:
    return recorded("machine-q35")


def planned(machine: Recorded, *, usb_cdrom_is_disk: bool) -> Inventory:
    return defined_inventory(machine.live_xml, SOURCES, usb_cdrom_is_disk=usb_cdrom_is_disk)


AGREED = (
    "name",
    "kind",
    "bus",
    "address",
    "usb_port",
    "sector_bytes",
    "wwn",
    "driver",
    "read_only",
    "removable",
    "marker",
    "predicted",
)


@pytest.mark.parametrize("name", MACHINES)
def test_machine_and_plan_agree_disk_by_disk(name: str) -> None:
    machine = recorded(name)
    seen, plan = machine.inventory(), planned(machine, usb_cdrom_is_disk=name != "machine-usb-cdrom")
    assert seen.level is Level.MACHINE
    assert [{key: getattr(disk, key) for key in AGREED} for disk in seen.block_devices] == [
        {key: getattr(disk, key) for key in AGREED} for disk in plan.block_devices
    ]
    assert seen.boot_medium == plan.boot_medium is not None
    assert seen.boot_order == plan.boot_order


@pytest.mark.parametrize("name", MACHINES)
def test_machine_and_plan_agree_on_other_hardware(name: str) -> None:
    machine = recorded(name)
    seen, plan = machine.inventory(), planned(machine, usb_cdrom_is_disk=True)
    assert [card.model_copy(update={"settings": {}}) for card in seen.network_interfaces] == [
        card.model_copy(update={"settings": {}}) for card in plan.network_interfaces
    ]
    assert seen.network_interfaces
    assert {(device.port, device.controller) for device in seen.usb_devices} == {
        (device.port, device.controller) for device in plan.usb_devices
    }
    assert {device.path for device in plan.pci_devices} < {device.path for device in seen.pci_devices}
    same = ("machine", "architecture", "uuid", "memory", "vcpu")
    assert {key: seen.platform[key] for key in same} == {key: plan.platform[key] for key in same}


def test_uefi_firmware_and_its_variables_are_part_of_the_platform(pc: Recorded, q35: Recorded) -> None:
    plan = planned(q35, usb_cdrom_is_disk=True)
    for key in ("loader", "UEFI variables"):
        assert q35.inventory().platform[key] == plan.platform[key]
    assert q35.inventory(Sources({}, {})).platform["UEFI variables"] == "others"
    assert pc.inventory().platform["loader"] == "bios-256k.bin"
    assert "UEFI variables" not in pc.inventory().platform


def test_secure_boot_is_off_without_smm_and_not_asked_of_bios(pc: Recorded, q35: Recorded) -> None:
    assert q35.inventory().secure_boot is False
    assert planned(q35, usb_cdrom_is_disk=True).secure_boot is False
    assert pc.inventory().secure_boot is None
    assert planned(pc, usb_cdrom_is_disk=True).secure_boot is None


FUNCTIONS = {
    "host bridge": ("machine-pc", "0000:00:00.0", "8086:1237", "1af4:1100", "060000"),
    "ide controller of the board": ("machine-pc", "0000:00:01.1", "8086:7010", "1af4:1100", "010180"),
    "uhci": ("machine-pc", "0000:00:01.2", "8086:7020", "1af4:1100", "0c0300"),
    "virtio disk on conventional PCI": ("machine-pc", "0000:00:04.0", "1af4:1001", "1af4:0002", "010000"),
    "virtio disk behind a port": ("machine-q35", "0000:04:00.0", "1af4:1042", "1af4:1100", "010000"),
    "root port": ("machine-q35", "0000:00:01.0", "1b36:000c", "0000:0000", "060400"),
    "xhci": ("machine-q35", "0000:03:00.0", "1b36:000d", "1af4:1100", "0c0330"),
    "ahci of the board": ("machine-q35", "0000:00:1f.2", "8086:2922", "1af4:1100", "010601"),
    "balloon, a class without a name": ("machine-q35", "0000:09:00.0", "1af4:1045", "1af4:1100", "00ff00"),
}


@pytest.mark.parametrize(("name", "address", "ids", "subsystem", "class_code"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_pci_ids_are_written_as_the_guest_writes_them(
    name: str, address: str, ids: str, subsystem: str, class_code: str
) -> None:
    found = {device.address: device for device in recorded(name).inventory().pci_devices}
    assert found[address] == PciDevice(
        address=address,
        path=found[address].path,
        vendor_device=ids,
        subsystem=subsystem,
        class_code=class_code,
        driver=None,
    )


def test_usb_devices_are_told_by_ids_and_names(pc: Recorded) -> None:
    seen = {device.port: (device.vendor_product, device.product) for device in pc.inventory().usb_devices}
    assert seen == {"0-1": ("0627:0001", "QEMU USB Tablet"), "0-2": ("46f4:0001", "QEMU USB MSD")}


def test_a_class_without_a_number_keeps_its_name(pc: Recorded) -> None:
    pc.changes_line("class Class 00ff", "class Phone")
    assert pc.inventory().pci_devices[-1].class_code == "Phone"


def test_sizes_and_identity_are_what_qemu_has(pc: Recorded) -> None:
    seen = {disk.name: disk for disk in pc.inventory().block_devices}
    assert [disk.size_bytes for disk in seen.values()] == [(n + 1) * MEBIBYTE for n in range(len(seen))]
    assert (seen["sda"].serial, seen["sda"].vendor, seen["sda"].model) == (
        "c1d2b5f1fd180bacb639",
        "QEMU",
        "QEMU HARDDISK",
    )
    pc.changes_line('serial = "c1d2b5f1fd180bacb639"', 'serial = "other"')
    pc.changes_line("wwn = 0 (0x0)", "wwn = 5764824127192592810 (0x5000c50015ea71aa)")
    assert (pc.disk("sda").serial, pc.disk("sda").wwn) == ("other", "0x5000c50015ea71aa")


def test_settings_are_told_of_the_device_they_are_of(pc: Recorded) -> None:
    first = pc.inventory()
    index = next(index for index, line in enumerate(pc.lines) if "dev: virtio-net-device" in line)
    pc.lines.insert(index + 1, " " * 60 + "rx_queue_size = 512 (0x200)")
    pc.block("/instances/volume1")["inserted"]["iops"] = 100
    pc.lines.append('  dev: hpet, id ""')
    pc.lines.append("    timers = 2 (0x2)")
    seen = pc.inventory()
    assert seen.network_interfaces[0].settings == {"virtio-net-device 1 rx_queue_size": "512 (0x200)"}
    assert {disk.name for disk in seen.block_devices if disk.settings.get("iops") == "100"} == {"vde"}
    assert seen.platform.items() - first.platform.items() == {("hpet 2 timers", "2 (0x2)")}
    told_of_themselves = {seen.network_interfaces[0].address.function}
    assert not [each for each in seen.pci_devices if each.address in told_of_themselves and each.settings]


def test_a_usb_cdrom_is_one_where_libvirt_makes_it_one() -> None:
    """libvirt 11.5 put it on usb-bot: recorded with libvirt 12.8 and QEMU 11.1."""
    rescue = next(
        disk
        for disk in recorded("machine-usb-cdrom").inventory().block_devices
        if disk.marker == SOURCES.marker("/instances/rescue")
    )
    assert (rescue.kind, rescue.bus, rescue.sector_bytes, rescue.removable) == ("cdrom", "usb", 2048, True)
    assert rescue.address.unit == UsbUnit(ports="2", superspeed=True)


@pytest.mark.parametrize(
    ("change", "medium"),
    [
        pytest.param(lambda machine: machine.boots("virtio-disk2", 0), "vdc", id="another disk before it"),
        pytest.param(lambda machine: machine.boots("net0", 0), NETWORK, id="the network before it"),
        pytest.param(
            lambda machine: machine.answers_with("/vmlinuz", "qom-get", path="/machine", property="kernel"),
            DIRECT_KERNEL,
            id="a kernel of QEMU's own",
        ),
        pytest.param(lambda machine: machine.boots_nothing(), None, id="nothing"),
    ],
)
def test_boot_order_is_the_machines(pc: Recorded, change: Callable[[Recorded], None], medium: str | None) -> None:
    change(pc)
    first = next(iter(pc.inventory().boot_order), None)
    assert pc.inventory().boot_medium == first == medium != planned(pc, usb_cdrom_is_disk=True).boot_medium


def test_a_floppy_boots_by_its_controller(pc: Recorded) -> None:
    index = next(index for index, line in enumerate(pc.lines) if "dev: isa-fdc" in line)
    indent = " " * (len(pc.lines[index]) - len(pc.lines[index].lstrip()))
    pc.lines[index + 1 : index + 1] = [
        f"{indent}  bus: floppy-bus.0",
        f"{indent}    type floppy-bus",
        f'{indent}    dev: floppy, id "fdc0-0-1"',
        f"{indent}      unit = 1 (0x1)",
    ]
    pc.blocks.append({"qdev": "fdc0-0-1", "removable": True})
    controller = "/machine/unattached/device[12]"
    pc.answers_with(f"{controller}/floppy-bus.0", "qom-get", path="/machine/peripheral/fdc0-0-1", property="parent_bus")
    pc.boots(controller, 0, "bootindexB")
    drive = pc.disk("fdc0-0-1")
    assert (drive.kind, drive.bus, drive.address) == ("floppy", "floppy", Address(unit=FloppyUnit(drive=1)))
    assert (drive.removable, drive.size_bytes, drive.marker) == (True, 0, None)
    assert drive.predicted is not None
    assert drive.predicted.possible == ("fd1",)
    assert pc.inventory().boot_medium == "fdc0-0-1"


def test_a_size_a_write_protection_and_an_exchanged_medium_are_seen(pc: Recorded) -> None:
    root, swap = pc.block("/instances/root")["inserted"], pc.block("/instances/swap")["inserted"]
    root["image"]["virtual-size"] = 5
    root["ro"] = True
    root["file"], swap["file"] = swap["file"], root["file"]
    seen = pc.disk("vda")
    assert (seen.size_bytes, seen.read_only, seen.marker) == (5, True, SOURCES.marker("/instances/swap"))
    assert pc.disk("vdd").marker == SOURCES.marker("/instances/root")


def test_a_device_in_another_place_is_seen(q35: Recorded) -> None:
    before = {disk.name: disk.address for disk in q35.inventory().block_devices}
    q35.changes_line("addr 00:01.0, pci id 1b36:000c", "addr 00:0f.0, pci id 1b36:000c")
    after = {disk.name: disk.address for disk in q35.inventory().block_devices}
    moved = {name for name, address in after.items() if address != before[name]}
    assert "vda" in moved
    assert after["vda"] == Address(pci_path=("0000:00:01.3", "0000:03:00.0"))
    assert moved == {name for name, address in before.items() if address.function != "0000:00:1f.2"}


SCSI, IDE = ("sda", "pci 0000:00:03.0 scsi "), ("hda", "pci 0000:00:01.1 ata ")


@pytest.mark.parametrize(
    ("disk", "old", "new", "place"),
    [
        pytest.param(SCSI, "", "", "0:0:0", id="scsi, as recorded"),
        pytest.param(SCSI, "scsi-id = 0 (0x0)", "scsi-id = 3 (0x3)", "0:3:0", id="another target"),
        pytest.param(SCSI, "lun = 0 (0x0)", "lun = 16684 (0x412c)", "0:0:16684", id="another unit"),
        pytest.param(IDE, "", "", "1.0", id="ide, as recorded"),
        pytest.param(IDE, "unit = 0 (0x0)", "unit = 1 (0x1)", "1.1", id="the slave"),
        pytest.param(IDE, "bus: ide.0", "bus: ide.3", "4.0", id="another port"),
    ],
)
def test_a_place_behind_its_controller_is_read(
    pc: Recorded, disk: tuple[str, str], old: str, new: str, place: str
) -> None:
    pc.changes_line(old, new)
    name, controller = disk
    assert pc.disk(name).address.in_full == controller + place


def test_a_disk_without_an_alias_goes_by_the_name_qemu_has(pc: Recorded) -> None:
    pc.live_xml = pc.live_xml.replace("<alias name='scsi0-0-0-0'/>", "")
    assert pc.inventory().block_device("sda") is None
    assert pc.disk("scsi0-0-0-0").marker == SOURCES.marker("/instances/volume2")


def test_several_disks_of_a_target_have_no_order(pc: Recorded) -> None:
    for lun in (1, 2):
        newest = f"scsi0-0-0-{lun - 1}"
        pc.adds_disk(
            f'dev: scsi-hd, id "{newest}"', (f'dev: scsi-hd, id "scsi0-0-0-{lun}"', f"  lun = {lun} (0x{lun})"), None
        )
    names = {disk.name: str(disk.predicted) for disk in pc.inventory().block_devices}
    assert [names[each] for each in ("sda", "scsi0-0-0-1", "scsi0-0-0-2")] == ["sda..sdc"] * 3


def test_a_stick_behind_a_hub_has_no_superspeed(q35: Recorded) -> None:
    q35.changes_line("port 2, speed 5000", "port 1.2, speed 12")
    rescue = q35.disk(next(disk.name for disk in q35.inventory().block_devices if disk.bus is GuestBus.USB))
    assert rescue.address.unit == UsbUnit(ports="1.2")
    assert rescue.usb_port == "0-1.2"


def test_only_the_serial_made_up_for_a_cdrom_is_left_out(pc: Recorded) -> None:
    assert 'serial = "QM00001"' in "".join(pc.lines)
    assert pc.disk("hda").serial is None
    pc.changes_line("dev: ide-cd", "dev: ide-hd")
    assert pc.disk("hda").serial == "QM00001"


FILE_NAMES = {
    "a path": ("/srv/x", "/srv/x"),
    "nbd": ("nbd://127.0.0.1:10809/vol", "nbd:vol"),
    "iscsi": ("iscsi://127.0.0.1:3260/iqn.2016-01.org:x/1", "iscsi:iqn.2016-01.org:x/1"),
    "luks": ('json:{"driver": "luks", "file": {"driver": "file", "filename": "/srv/x"}, "key-secret": "s"}', "/srv/x"),
    "qcow2 over another base": (
        'json:{"backing": {"driver": "file", "filename": "/base"}, "file": {"driver": "file", "filename": "/srv/x"}}',
        "/srv/x",
    ),
    "luks over nbd": ('json:{"driver": "luks", "file": {"driver": "nbd", "export": "vol"}}', "nbd:vol"),
    "luks over iscsi": (
        'json:{"driver": "luks", "file": {"driver": "iscsi", "target": "iqn.x", "lun": 1}}',
        "iscsi:iqn.x/1",
    ),
}


@pytest.mark.parametrize(("file_name", "source"), FILE_NAMES.values(), ids=FILE_NAMES)
def test_a_block_node_is_followed_to_its_source(pc: Recorded, file_name: str, source: str) -> None:
    pc.block("/instances/root")["inserted"]["file"] = file_name
    device = pc.inventory(Sources({source: "found"}, {"found": "t"})).block_device("vda")
    assert device is not None
    assert device.marker is not None
    assert device.marker.disk == "found"


def test_few_questions_are_asked(pc: Recorded) -> None:
    asked = 0

    def counted(command: str, **arguments: object) -> Any:
        nonlocal asked
        asked += 1
        return pc.query(command, **arguments)

    devices = machine_inventory(counted, pc.live_xml, SOURCES)
    assert asked <= len(devices.block_devices) + len(devices.network_interfaces) + 9


def swaps_the_tree(lines: list[str]) -> Callable[[Recorded], None]:
    return lambda machine: machine.answers_with(lines, TREE[0], **TREE[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(swaps_the_tree(["unknown command: 'info qtree'"]), "prints no devices", id="no tree"),
        pytest.param(
            swaps_the_tree(["bus: main-system-bus", "  type System", '  dev: hpet, id ""']), "drive", id="no disk in it"
        ),
        pytest.param(lambda machine: machine.changes_line("i440FX-pcihost", "x"), "no PCI host bridge", id="no PCI"),
        pytest.param(
            lambda machine: machine.changes_line('scsi-hd, id "scsi0-0-0-0"', 'mystery, id "scsi0-0-0-0"'),
            "a mystery, which is no disk known here",
            id="a disk of unknown type",
        ),
        pytest.param(
            lambda machine: machine.blocks.append({"qdev": "/machine/unattached/device[30]", "removable": True}),
            "which libvirt did not ask for",
            id="a drive of nobody's",
        ),
        pytest.param(lambda machine: machine.blocks[0].pop("qdev"), "not as expected: KeyError", id="a missing key"),
        pytest.param(lambda machine: machine.answers_with({}, "query-uuid"), "not as expected", id="another answer"),
    ],
)
def test_answers_that_cannot_be_read_are_told(pc: Recorded, change: Callable[[Recorded], None], message: str) -> None:
    change(pc)
    with pytest.raises(HostError, match=message):
        pc.inventory()
