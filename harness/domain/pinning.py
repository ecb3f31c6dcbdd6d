"""A running domain's XML as the starting point of another: every address kept, what only a running domain has dropped.

libvirt hands out addresses afresh to a device that has none, and a new controller then moves its neighbours. A device
whose ``<address>`` is in the XML stays (https://libvirt.org/formatdomain.html#device-addresses).
"""

from __future__ import annotations

from lxml import etree

from harness.domain.xml import parse_domain

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
    """The domain as it runs, ready to be defined again with every device where it is.

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


def without_boot_order(root: etree._Element) -> None:
    """Take every boot instruction out: libvirt forbids ``<boot dev>`` beside per-device orders, and QEMU starts a
    kernel given to it before it looks at any.
    """
    for path in ("os/boot", "devices/*/boot", "os/kernel", "os/initrd", "os/cmdline"):
        for element in root.findall(path):
            element.getparent().remove(element)  # type: ignore[union-attr]
