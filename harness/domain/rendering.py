"""Domain XML from a disk mapping: Jinja2 templates in, text out. Addresses are left to libvirt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from lxml import etree

from harness.scenario.models import Instance
from harness.scenario.words import DiskBus, OtherDevice, Role, VifModel

if TYPE_CHECKING:
    from harness.domain.disk_mapping import MappedDisk
    from harness.domain.placement import Placement


@dataclass(frozen=True)
class NewDisk:
    """A ``<disk>`` to add to a domain; ``address`` is a complete ``<address/>``, or None: then libvirt chooses."""

    disk: MappedDisk
    boot_order: int | None = None
    address: str | None = None


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("harness.domain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_domain(instance: Instance, disks: Sequence[MappedDisk], placement: Placement) -> str:
    """Return the whole domain as Nova's libvirt driver would write it, without addresses.

    The domain boots from its first disk, which is a root disk. libvirt orders the disks of a bus by their target names,
    whatever their order here (virDomainDiskInsert).
    """
    return (
        _environment()
        .get_template("domain.xml.j2")
        .render(
            instance=instance,
            properties=instance.properties,
            disks=sorted(disks, key=lambda disk: disk.role is not Role.ROOT),
            placement=placement,
            scsi_model=instance.properties.hw_scsi_model if any(disk.bus is DiskBus.SCSI for disk in disks) else None,
            further_nics=list(zip(placement.nic_numbers or count(1), instance.nics, strict=False)),
            further_mac=further_mac,
            usb_needed=instance.properties.hw_usb_model is not None
            or instance.properties.hw_pointer_model == "usbtablet"
            or OtherDevice.KEYBOARD in instance.devices
            or any(disk.bus is DiskBus.USB for disk in disks),
        )
    )


def further_mac(mac: str, number: int) -> str:
    """Return the MAC address of a further NIC, numbered from 1: the first NIC's address with another third byte."""
    octets = mac.split(":")
    return ":".join((*octets[:2], f"{int(octets[2], 16) + number:02x}", *octets[3:]))


def render_disk(new: NewDisk, placement: Placement) -> etree._Element:
    """Return the ``<disk>`` element of a new disk."""
    macros = _environment().get_template("disk.xml.j2").module
    text = macros.disk(new.disk, placement, new.boot_order, new.address)  # type: ignore[attr-defined]
    return etree.fromstring(str(text).strip())


def render_further_interface(model: VifModel, number: int, placement: Placement) -> etree._Element:
    """Return the ``<interface>`` element of a further NIC."""
    macros = _environment().get_template("interface.xml.j2").module
    text = macros.further_interface(model, further_mac(placement.mac, number), number)  # type: ignore[attr-defined]
    return etree.fromstring(str(text).strip())
