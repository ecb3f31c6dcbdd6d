"""Faults of booting: the rescued instance boots from something other than the rescue disk."""

from __future__ import annotations

from lxml import etree

from harness.domain.pinning import without_boot_order
from harness.domain.xml import boots_from_uefi
from harness.scenario.words import ClaimName, Level
from harness.study.prove.faults.draft import Draft, NotApplicable
from harness.study.prove.faults.fault import Fault

_BOOT_BY_KIND = {"cdrom": "cdrom", "floppy": "fd"}


def _boot_from(draft: Draft, *devices: etree._Element) -> None:
    without_boot_order(draft.root)
    for order, device in enumerate(devices, start=1):
        etree.SubElement(device, "boot", order=str(order))


def _no_boot_order(draft: Draft) -> None:
    _boot_from(draft)


def _root_first(draft: Draft) -> None:
    _boot_from(draft, draft.root_disk, draft.rescue)


def _network_first(draft: Draft) -> None:
    _boot_from(draft, draft.one("devices/interface"), draft.rescue)


def _root_second(draft: Draft) -> None:
    _boot_from(draft, draft.rescue, draft.root_disk)


def _network_second(draft: Draft) -> None:
    _boot_from(draft, draft.rescue, draft.one("devices/interface"))


def _by_kind(draft: Draft) -> None:
    kind = draft.rescue.get("device", "disk")
    if kind not in _BOOT_BY_KIND or draft.root_disk.get("device", "disk") == kind:
        raise NotApplicable("the root disk is of the rescue disk's kind")
    without_boot_order(draft.root)
    for by_kind in (_BOOT_BY_KIND[kind], "hd"):
        etree.SubElement(draft.one("os"), "boot", dev=by_kind)


def _direct_kernel(draft: Draft) -> None:
    etree.SubElement(draft.one("os"), "kernel").text = "/boot/vmlinuz"


def _controller_without_uefi_driver(draft: Draft) -> None:
    brought = [each for each in draft.brought_controllers() if each.get("type") == "scsi"]
    if not boots_from_uefi(draft.root) or not brought:
        raise NotApplicable("no SCSI controller of the rescue disk's own under UEFI")
    brought[0].set("model", "lsilogic")


BOOT_FAULTS = (
    Fault(
        "no-boot-order",
        "no device has a boot order, so the first disk boots",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_no_boot_order,
    ),
    Fault(
        "root-boots-first",
        "the root disk is before the rescue disk in the boot order",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_root_first,
    ),
    Fault(
        "network-boots-first",
        "the network interface is before the rescue disk in the boot order",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_network_first,
    ),
    Fault(
        "root-boots-second",
        "the root disk is behind the rescue disk in the boot order, and boots if the rescue medium does not",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_root_second,
    ),
    Fault(
        "network-boots-second",
        "the network interface is behind the rescue disk in the boot order",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_network_second,
    ),
    Fault(
        "boots-by-kind",
        "CD-ROM or floppy and then hard disk are told to boot by kind, so the root disk is behind the rescue disk",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_by_kind,
    ),
    Fault(
        "direct-kernel",
        "a kernel of the host's is booted, whatever the boot order says",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_direct_kernel,
    ),
    Fault(
        "controller-without-uefi-driver",
        "the rescue disk is on an lsilogic controller, from which UEFI firmware cannot boot",
        ClaimName.BOOTED_FROM_RESCUE,
        rescued=_controller_without_uefi_driver,
        level=Level.GUEST,
        case="nova-uefi-scsi-controller",
    ),
)
