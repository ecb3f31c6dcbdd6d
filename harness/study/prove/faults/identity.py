"""Faults of identity: a disk is present, but describes itself differently than before."""

from __future__ import annotations

from lxml import etree

from harness.scenario.words import ClaimName, DiskBus, Role
from harness.study.prove.faults.draft import Draft, NotApplicable, child
from harness.study.prove.faults.fault import Edit, Fault


def _serial_lost(draft: Draft) -> None:
    volume = draft.first(Role.VOLUME)
    volume.remove(child(volume, "serial"))


def _larger_sectors(draft: Draft) -> None:
    volume = draft.first(Role.VOLUME)
    etree.SubElement(volume, "blockio", logical_block_size="4096", physical_block_size="4096")


def _read_only(draft: Draft) -> None:
    etree.SubElement(draft.first(Role.VOLUME), "readonly")


def _named_world_wide(name: str) -> Edit:
    def edit(draft: Draft) -> None:
        disk = draft.first(Role.VOLUME, "scsi")
        for old in disk.findall("wwn"):
            disk.remove(old)
        etree.SubElement(disk, "wwn").text = name

    return edit


def _another_product(draft: Draft) -> None:
    disk = draft.first(Role.VOLUME, "scsi")
    etree.SubElement(disk, "vendor").text = "OTHER"
    etree.SubElement(disk, "product").text = "DISK"


def _read_as_raw(draft: Draft) -> None:
    driver = child(draft.root_disk, "driver")
    if driver.get("type") == "raw":
        raise NotApplicable("the root disk is raw")
    driver.set("type", "raw")


def _not_decrypted(draft: Draft) -> None:
    source = draft.one("devices/disk/source[encryption]")
    source.remove(child(source, "encryption"))


def _another_server(draft: Draft) -> None:
    host = draft.one("devices/disk/source/host")
    host.set("port", str(int(host.get("port", "0")) + 1))


def _lun_as_disk(draft: Draft) -> None:
    draft.one("devices/disk[@device='lun']").set("device", "disk")


def _transient(draft: Draft) -> None:
    etree.SubElement(draft.first(Role.VOLUME), "transient")


def _config_drive_as_disk(draft: Draft) -> None:
    config_drive = draft.first(Role.CONFIG_DRIVE)
    if config_drive.get("device") != "cdrom":
        raise NotApplicable("no CD-ROM")
    config_drive.set("device", "disk")
    config_drive.remove(child(config_drive, "readonly"))


def _volume_on_sata(draft: Draft) -> None:
    draft.put_on_bus(draft.first(Role.VOLUME, "virtio"), DiskBus.SATA)


IDENTITY_FAULTS = (
    Fault(
        "serial-lost",
        "a volume has lost its serial",
        ClaimName.IDENTITY,
        rescued=_serial_lost,
    ),
    Fault(
        "larger-sectors",
        "a volume has sectors of 4096 bytes",
        ClaimName.IDENTITY,
        rescued=_larger_sectors,
    ),
    Fault(
        "volume-read-only",
        "a volume can only be read",
        ClaimName.IDENTITY,
        rescued=_read_only,
    ),
    Fault(
        "another-world-wide-name",
        "a SCSI volume has another world wide name",
        ClaimName.IDENTITY,
        normal=_named_world_wide("5000c50015ea71aa"),
        rescued=_named_world_wide("5000c50015ea71ab"),
    ),
    Fault(
        "another-product",
        "a SCSI volume names another vendor and product",
        ClaimName.IDENTITY,
        rescued=_another_product,
    ),
    Fault(
        "config-drive-as-disk",
        "the config drive is a disk and no CD-ROM",
        ClaimName.IDENTITY,
        rescued=_config_drive_as_disk,
    ),
    Fault(
        "read-as-raw",
        "the root disk's qcow2 file is given to the guest as it is",
        ClaimName.IDENTITY,
        rescued=_read_as_raw,
    ),
    Fault(
        "not-decrypted",
        "a LUKS volume is given to the guest as it is",
        ClaimName.IDENTITY,
        rescued=_not_decrypted,
    ),
    Fault(
        "another-server",
        "a volume comes from another server, under the same name",
        ClaimName.IDENTITY,
        rescued=_another_server,
    ),
    Fault(
        "lun-as-disk",
        "QEMU answers the SCSI commands to a LUN, with its own vendor and serial",
        ClaimName.IDENTITY,
        rescued=_lun_as_disk,
    ),
    Fault(
        "volume-transient",
        "what the rescued guest writes to a volume is thrown away",
        ClaimName.IDENTITY,
        rescued=_transient,
    ),
    Fault(
        "volume-on-another-bus",
        "a virtio volume is on SATA",
        ClaimName.IDENTITY,
        rescued=_volume_on_sata,
    ),
)
