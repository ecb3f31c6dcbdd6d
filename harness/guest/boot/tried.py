"""The disks that a guest's firmware and loader have tried, in words."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from harness.domain.xml import devices_of, parse_domain
from harness.scenario.words import KIB

_LAST = 1000


def disks_read(domain_xml: str, disks: Mapping[str, int]) -> str:
    """Return in words how much a guest has read from which disks of its domain, in boot order.

    ``disks`` has the bytes read by libvirt's target name.
    """
    devices = devices_of(parse_domain(domain_xml)).findall("disk")
    read = sorted((_boot_order(disk), _named(disk, count)) for disk in devices if (count := disks.get(_name(disk), 0)))
    return "it read " + (", ".join(text for _, text in read) or "no disk")


def _named(disk: etree._Element, count: int) -> str:
    size = f"{count // KIB} KiB" if count >= KIB else f"{count} bytes"
    kind = {"cdrom": "CD-ROM"}.get(disk.get("device", ""), disk.get("device", "disk"))
    return f"{size} of {_name(disk)} ({_target(disk).get('bus')} {kind})"


def _boot_order(disk: etree._Element) -> int:
    boot = disk.find("boot")
    return _LAST if boot is None else int(boot.get("order", _LAST))


def _name(disk: etree._Element) -> str:
    return _target(disk).get("dev", "")


def _target(disk: etree._Element) -> etree._Element:
    target = disk.find("target")
    return etree.Element("target") if target is None else target
