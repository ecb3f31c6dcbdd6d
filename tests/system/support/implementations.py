"""Implementations of rescue that are wrong on purpose."""

from __future__ import annotations

from lxml import etree

from harness.domain.placement import Placement
from harness.domain.xml import PciAddress, devices_of, disks_of, parse_domain, serialise
from harness.implementation.protocol import Rescue, RescuedDomain, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.scenario.models import Instance
from harness.scenario.rescue_image import RescueImage


class SlotBeforeTheOthers(Reference):
    """Puts a virtio rescue disk on a PCI slot before the instance's disks: all keep their addresses, none its name."""

    name = "slot-before-the-others"

    def normal(self, instance: Instance, placement: Placement) -> str:
        root = parse_domain(super().normal(instance, placement))
        for slot, disk in enumerate(disks_of(root), start=0x11):
            disk.append(etree.fromstring(PciAddress(0, slot).as_xml()))
        return serialise(root)

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        root = parse_domain(super().rescued(running, image).xml)
        rescue = disks_of(root)[-1]
        address = rescue.find("address")
        assert address is not None
        rescue.replace(address, etree.fromstring(PciAddress(0, 0x10).as_xml()))
        return RescuedDomain(serialise(root))


class MissingRescueDisk(Reference):
    """Points the rescue disk at a file that is not there: libvirt takes the definition, QEMU does not start."""

    name = "missing-rescue-disk"

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        root = parse_domain(super().rescued(running, image).xml)
        source = disks_of(root)[-1].find("source")
        assert source is not None
        source.set("file", source.get("file", "") + ".missing")
        return RescuedDomain(serialise(root))


class InvalidRescue(Reference):
    """Makes a rescued domain that libvirt refuses to define."""

    name = "invalid-rescue"

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        root = parse_domain(super().rescued(running, image).xml)
        disks_of(root)[-1].set("device", "cdrom")
        return RescuedDomain(serialise(root))


class InvalidInstance(Reference):
    """Makes an instance's domain that libvirt refuses to define."""

    name = "invalid-instance"

    def normal(self, instance: Instance, placement: Placement) -> str:
        root = parse_domain(super().normal(instance, placement))
        disks_of(root)[0].set("device", "cdrom")
        return serialise(root)


class InvalidUnrescue(Reference):
    """Gives back a domain that libvirt refuses to define."""

    name = "invalid-unrescue"

    def unrescued(self, rescue: Rescue) -> str:
        root = parse_domain(super().unrescued(rescue))
        disks_of(root)[0].set("device", "cdrom")
        return serialise(root)


class NoBootOrder(Reference):
    """Leaves the rescue disk out of the boot order and lets the first disk boot."""

    name = "no-boot-order"

    def rescued(self, running: RunningInstance, image: RescueImage) -> RescuedDomain:
        root = parse_domain(super().rescued(running, image).xml)
        for boot in root.findall("devices/disk/boot"):
            boot.getparent().remove(boot)
        etree.SubElement(root.find("os"), "boot", dev="hd")
        return RescuedDomain(serialise(root))


class LinkDown(Reference):
    """Unplugs the guest's network cable."""

    name = "link-down"

    def normal(self, instance: Instance, placement: Placement) -> str:
        root = parse_domain(super().normal(instance, placement))
        interface = devices_of(root).find("interface")
        etree.SubElement(interface, "link", state="down")
        return serialise(root)
