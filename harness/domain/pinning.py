"""A running domain's XML as the starting point of another domain.

Every address is kept. Elements that only a running domain has are dropped. libvirt gives a fresh address to a device
that has none, and a new controller then moves its neighbours. A device whose ``<address>`` is in the XML stays where it
is (https://libvirt.org/formatdomain.html#device-addresses).
"""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from harness.domain.xml import devices_of, identity_of, parse_domain, serialise

_RUNTIME_ONLY = (
    "seclabel[@type='dynamic']",
    "seclabel/imagelabel",
    "devices/*/backingStore",
    "devices/*/mirror",
    "devices/*/seclabel",
    "devices/*/source/seclabel",
    "devices/*/source/reservations",
    "devices/interface/target",
)


def pinned(live_xml: str) -> etree._Element:
    """Return the running domain, ready to be defined again with every device at its present address.

    Raises:
        HostError: the text is no domain XML.
    """
    root = parse_domain(live_xml)
    root.attrib.pop("id", "")
    for path in _RUNTIME_ONLY:
        for element in root.findall(path):
            element.getparent().remove(element)  # type: ignore[union-attr]
    for alias in root.findall("devices/*/alias"):
        if not alias.get("name", "").startswith("ua-"):
            alias.getparent().remove(alias)  # type: ignore[union-attr]
    for source in root.findall("devices/disk/source"):
        source.attrib.pop("index", "")
    return root


def with_addresses_of(definition_xml: str, live_xml: str) -> str | None:
    """Return a domain's definition with every disk and NIC at its address in the running domain.

    Return None if the definition has these addresses already. Devices other than disks and NICs are never plugged or
    unplugged, so they keep the addresses that they were started with.

    Raises:
        HostError: one of the texts is no domain XML.
    """
    root = parse_domain(definition_xml)
    live = {identity_of(device): device.find("address") for device in _pluggable(parse_domain(live_xml))}
    moved = False
    for device in _pluggable(root):
        own, wanted = device.find("address"), live.get(identity_of(device))
        if own is None or wanted is None or sorted(own.items()) == sorted(wanted.items()):
            continue
        device.replace(own, deepcopy(wanted))
        moved = True
    return serialise(root) if moved else None


def _pluggable(root: etree._Element) -> list[etree._Element]:
    return [device for device in devices_of(root) if device.tag in ("disk", "interface")]


def without_boot_order(root: etree._Element) -> None:
    """Remove every boot instruction.

    libvirt forbids ``<boot dev>`` beside per-device orders, and QEMU starts a kernel given to it before it looks at any
    boot order.
    """
    for path in ("os/boot", "devices/*/boot", "os/kernel", "os/initrd", "os/cmdline"):
        for element in root.findall(path):
            element.getparent().remove(element)  # type: ignore[union-attr]
