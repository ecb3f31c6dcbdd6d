"""Read a domain's description of a device or of itself, word for word: every value that no other field interprets.

Everything libvirt writes is kept, so that a setting nobody thought of is compared too. Left out are only the values
that a rescue may change, those that the inventory has in the guest's terms, and those that the host chose freely when
the guest started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from lxml import etree

PRESENT = "present"
"""The value of an element that says everything by its presence, such as ``<readonly/>``."""

_PLACE = frozenset(
    f"address@{name}" for name in ("type", "domain", "bus", "slot", "function", "controller", "target", "unit", "port")
)
_BOOT_ORDER = frozenset({"boot@order"})
OF_DEVICES = _PLACE | _BOOT_ORDER | {"@index"}
"""The place of a device, and its turn at booting. A controller's index is libvirt's own; the guest sees its place."""
OF_DISKS = OF_DEVICES | {
    *("@device", "target@dev", "target@bus", "target@removable", "serial", "wwn", "vendor", "product", "readonly"),
    *("driver@type", "blockio@logical_block_size", "transient", "source/encryption@format", "encryption@format"),
    *(f"source@{name}" for name in ("file", "dev", "name", "protocol", "volume")),
    *(f"source/host@{name}" for name in ("name", "port")),
}
OF_NETWORK_INTERFACES = OF_DEVICES | {"mac@address", "model@type", "acpi@index"}
OF_DEVICES_ON_NO_BUS = _BOOT_ORDER
NOTHING: frozenset[str] = frozenset()
_ALLOTTED_PORTS = frozenset({"port", "tlsPort", "websocket"})
_NOVAS_NOTES = "{http://openstack.org/xmlns/libvirt/nova/"
"""Nova's entries in a domain's metadata (LibvirtConfigGuestMetaNovaInstance): when Nova made it, and for whom."""


def settings(element: etree._Element, interpreted: frozenset[str] = OF_DEVICES, *, name: str = "") -> dict[str, str]:
    """Return the value of every text and attribute in an element by path, as ``iotune/read_iops_sec`` or ``driver@io``.

    Paths in ``interpreted`` are left out; a ``name`` is put before the others. Further elements of one tag are
    counted: ``ip``, ``ip 1``.
    """
    return _settings(etree.tostring(element, with_tail=False), interpreted, name)


@lru_cache(maxsize=1024)
def _settings(text: bytes, interpreted: frozenset[str], name: str) -> dict[str, str]:
    """Cache by text: a rescue leaves nearly every device as it was, and printing one is faster than walking it."""
    found = dict(_walk(etree.fromstring(text), ""))
    return {_below(name, path): value for path, value in found.items() if path not in interpreted}


def _below(name: str, path: str) -> str:
    return f"{name}/{path}" if name and path and not path.startswith("@") else f"{name}{path}"


def _walk(element: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    text = (element.text or "").strip()
    children = [child for child in element if isinstance(child.tag, str) and not child.tag.startswith(_NOVAS_NOTES)]
    if text or not (children or element.attrib):
        yield path, text or PRESENT
    for attribute, value in element.items():
        if not _is_allotted(element, str(attribute)):
            yield f"{path}@{attribute!s}", str(value)
    seen: Counter[str] = Counter()
    for child in children:
        yield from _walk(child, _below(path, numbered(child, seen)))


def _is_allotted(element: etree._Element, attribute: str) -> bool:
    """Return whether libvirt chose the value by what was free when the guest started: a terminal, a port to watch."""
    if attribute == "path" and element.tag == "source":
        parent = element.getparent()
        return parent is not None and parent.get("type") == "pty"
    if element.tag == "graphics" and element.get("autoport") == "yes":
        return attribute in _ALLOTTED_PORTS
    return element.tag == "console" and attribute == "tty"


def numbered(element: etree._Element, seen: Counter[str]) -> str:
    """Return the tag, with a number behind it for every further one in ``seen``, which is counted up."""
    tag = str(element.tag)
    seen[tag] += 1
    return tag if seen[tag] == 1 else f"{tag} {seen[tag] - 1}"
