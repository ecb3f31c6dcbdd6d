"""Ask a paused QEMU the few questions that an inventory needs, and parse the answers.

A question costs 3 to 5 ms, so the tree of devices is asked for at once. Single devices are asked only for the one fact
that the tree leaves out: their place in the boot order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import HostError
from harness.evidence.address import ScsiUnit
from harness.evidence.inventory import BlockKind
from harness.evidence.machine.machine_settings import medium_settings
from harness.evidence.machine.machine_tree import Device, DeviceTree, parse_device_tree
from harness.evidence.plan.domain_disks import CDROM_SECTOR_BYTES, SECTOR_BYTES

Query = Callable[..., Any]
"""Asks the monitor: ``query(command, **arguments)`` returns the command's result (harness.guest.paused)."""

_PERIPHERAL = "/machine/peripheral/"
_FLASH = "/machine/system.flash"
_DISKS = frozenset(
    {"virtio-blk-device", "scsi-hd", "scsi-cd", "scsi-block", "scsi-generic", "ide-hd", "ide-cd", "floppy"}
)
_NETWORK_CLASS = "02"
_MADE_UP_SERIAL = re.compile(r"QM\d{5}")


@dataclass(frozen=True)
class Medium:
    """The content of a drive; ``source`` has the form of ``harness.domain.xml.source_of``, None if that is unknown."""

    source: str | None
    size_bytes: int
    read_only: bool
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Drive:
    """A device that holds a medium; ``removable`` is whether the medium is."""

    device: Device
    medium: Medium | None
    removable: bool
    boot_index: int

    @property
    def kind(self) -> BlockKind:
        """Return the kind of device that the guest sees."""
        if self.device.kind == "floppy":
            return BlockKind.FLOPPY
        return BlockKind.CDROM if self.device.kind.endswith("-cd") else BlockKind.DISK

    @property
    def scsi_unit(self) -> ScsiUnit:
        """Channel, target and LUN; zeros for what is on no SCSI bus."""
        channel, target, lun = (self.device.number(name) or 0 for name in ("channel", "scsi-id", "lun"))
        return ScsiUnit(channel=channel, target=target, lun=lun)

    @property
    def unit(self) -> int:
        """Return the number of the device on an IDE channel or of a floppy drive."""
        return self.device.number("unit") or 0

    @property
    def serial(self) -> str | None:
        """Return the serial, but not the one that QEMU makes up from the port of an IDE or SATA CD-ROM.

        Linux never asks for that one (hw/ide/core.c).
        """
        serial = self.device.text("serial")
        made_up = serial is not None and _MADE_UP_SERIAL.fullmatch(serial) is not None
        return None if made_up and self.kind is BlockKind.CDROM else serial

    @property
    def sector_bytes(self) -> int:
        """Return the sector size; for a CD-ROM it is no property but a fact (hw/scsi/scsi-disk.c, scsi_cd_realize)."""
        if self.kind is BlockKind.CDROM:
            return CDROM_SECTOR_BYTES
        return self.device.number("logical_block_size") or SECTOR_BYTES


@dataclass(frozen=True)
class NetworkCard:
    """A NIC on PCI."""

    device: Device
    mac: str
    boot_index: int


@dataclass(frozen=True)
class MachineFacts:
    """A machine as its QEMU describes it. The lowest boot index boots first, and -1 does not boot.

    ``flash`` are the sources of firmware and UEFI variables, in this order. ``secure_boot``: only code in SMM can
    write to the variables; None without flash.
    """

    tree: DeviceTree
    drives: tuple[Drive, ...]
    network_cards: tuple[NetworkCard, ...]
    flash: tuple[str | None, ...]
    secure_boot: bool | None
    machine_type: str
    firmware: str
    kernel: str
    uuid: str
    memory_bytes: int
    architecture: str
    cpu_type: str
    cpus: int


def machine_facts(query: Query) -> MachineFacts:
    """Ask a machine.

    Raises:
        HostError: an answer is missing or in a shape that no QEMU from 5.2 to 11.1 gives.
    """
    try:
        return _machine_facts(query)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise HostError(f"an answer of QEMU's monitor is not as expected: {error!r}") from error


def _machine_facts(query: Query) -> MachineFacts:
    tree = parse_device_tree(query("human-monitor-command", **{"command-line": "info qtree"}))
    blocks = {_path(block): block for block in query("query-block")}
    flash = [blocks.pop(path) for path in sorted(blocks) if path.startswith(_FLASH)]
    cpus = query("query-cpus-fast")
    memory = query("query-memory-size-summary")
    return MachineFacts(
        tree=tree,
        drives=tuple(_drive(query, tree, path, block) for path, block in blocks.items()),
        network_cards=tuple(
            _network_card(query, tree, device)
            for device in tree.devices
            if device.id and device.pci is not None and device.pci.class_code.startswith(_NETWORK_CLASS)
        ),
        flash=tuple(None if medium is None else medium.source for medium in map(_medium, flash)),
        secure_boot=_guards_variables(query) if flash else None,
        machine_type=_property(query, "/machine", "type").removesuffix("-machine"),
        firmware=_property(query, "/machine", "firmware"),
        kernel=_property(query, "/machine", "kernel"),
        uuid=query("query-uuid")["UUID"],
        memory_bytes=memory["base-memory"] + memory.get("plugged-memory", 0),
        architecture=cpus[0]["target"],
        cpu_type=_property(query, cpus[0]["qom-path"], "type"),
        cpus=len(cpus),
    )


def _guards_variables(query: Query) -> bool:
    return _property(query, "/machine", "smm") == "on" and bool(_property(query, f"{_FLASH}0", "secure"))


def _property(query: Query, path: str, name: str) -> Any:
    return query("qom-get", path=path, property=name)


def _path(block: Mapping[str, Any]) -> str:
    """Return the path of a drive's device among QEMU's objects (BlockInfo.qdev, qapi/block-core.json: id or path)."""
    qdev = str(block["qdev"])
    return qdev if qdev.startswith("/") else _PERIPHERAL + qdev


def _drive(query: Query, tree: DeviceTree, path: str, block: Mapping[str, Any]) -> Drive:
    named = tree.named(path.removeprefix(_PERIPHERAL).partition("/")[0])
    if named is None:
        raise HostError(f"QEMU has a drive in {path}, which libvirt did not ask for")
    disk = _disk_of(tree, named)
    return Drive(disk, _medium(block), bool(block["removable"]), _boot_index(query, named, disk))


def _disk_of(tree: DeviceTree, named: Device) -> Device:
    """Return the disk itself.

    virtio-blk-pci has the disk on a bus of its own (hw/virtio/virtio-blk-pci.c), and so has usb-storage, without a
    name (hw/usb/dev-storage-classic.c).
    """
    for device in (named, *tree.below(named)):
        if device.kind in _DISKS:
            return device
    raise HostError(f"QEMU has a drive in {named.id}, a {named.kind}, which is no disk known here")


def _boot_index(query: Query, named: Device, disk: Device) -> int:
    """Return the boot index; a floppy's is a property of its controller, which has no name (hw/block/fdc-isa.c)."""
    path, name = _PERIPHERAL + named.id, "bootindex"
    if disk.kind == "floppy":
        path = str(_property(query, path, "parent_bus")).rpartition("/")[0]
        name = f"bootindex{'AB'[disk.number('unit') or 0]}"
    return int(_property(query, path, name))


def _network_card(query: Query, tree: DeviceTree, device: Device) -> NetworkCard:
    macs = (each.text("mac") for each in (device, *tree.below(device)))
    return NetworkCard(device, next(filter(None, macs), ""), _boot_index(query, device, device))


def _medium(block: Mapping[str, Any]) -> Medium | None:
    inserted = block.get("inserted")
    if inserted is None:
        return None
    return Medium(
        source=_source(str(inserted["file"])),
        size_bytes=int(inserted["image"]["virtual-size"]),
        read_only=bool(inserted["ro"]),
        settings=medium_settings(inserted),
    )


def _source(filename: str) -> str | None:
    """Return the source of a block node's bytes, from its file name.

    The file name is a path or a URL, or the pseudo-URL ``json:`` with the options of the node and of those below it
    (block.c, bdrv_refresh_filename).
    """
    if filename.startswith("json:"):
        node = json.loads(filename.removeprefix("json:"))
        while isinstance(node.get("file"), dict):
            node = node["file"]
        match node.get("driver"):
            case "nbd":
                return f"nbd:{node.get('export', '')}"
            case "iscsi":
                return f"iscsi:{node['target']}/{node.get('lun', 0)}"
        found = node.get("filename")
        return None if found is None else str(found)
    for protocol in ("nbd", "iscsi"):
        if filename.startswith(f"{protocol}://"):
            return f"{protocol}:{filename.removeprefix(f'{protocol}://').partition('/')[2]}"
    return filename
