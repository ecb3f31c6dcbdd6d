"""The disks that a guest's firmware and loader have tried, in words."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from harness.domain.xml import disk_target, disks_of, parse_domain
from harness.scenario.words import KIB

_LAST = 1000


def disks_read(domain_xml: str, disks: Mapping[str, int]) -> str:
    """Return in words how much a guest has read from which disks of its domain, in boot order.

    ``disks`` has the bytes read by libvirt's target name.
    """
    read = sorted(
        (_boot_order(disk), _named(disk, count))
        for disk in disks_of(parse_domain(domain_xml))
        if (count := disks.get(disk_target(disk)[0], 0))
    )
    return "it read " + (", ".join(text for _, text in read) or "no disk")


def _named(disk: etree._Element, count: int) -> str:
    size = f"{count // KIB} KiB" if count >= KIB else f"{count} bytes"
    kind = {"cdrom": "CD-ROM"}.get(disk.get("device", ""), disk.get("device", "disk"))
    target, bus = disk_target(disk)
    return f"{size} of {target} ({bus} {kind})"


def _boot_order(disk: etree._Element) -> int:
    boot = disk.find("boot")
    return _LAST if boot is None else int(boot.get("order", _LAST))
