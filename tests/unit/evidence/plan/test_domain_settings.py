"""Whatever a domain's definition says is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lxml import etree

from harness.errors import HostError
from harness.evidence.plan.domain_settings import OF_DISKS, settings
from harness.verdict.claims import compare_rescued
from harness.verdict.expected import Expected

from ...evidence.plan.test_domain_inventory import inventory, live, sources

SETTINGS = {
    "<disk><driver type='raw' io='threads'/></disk>": {"driver@io": "threads"},
    "<disk><iotune><read_iops_sec>5</read_iops_sec></iotune></disk>": {"iotune/read_iops_sec": "5"},
    "<disk><readonly/><shareable/></disk>": {"shareable": "present"},
    "<disk><boot order='1' loadparm='2'/></disk>": {"boot@loadparm": "2"},
    "<disk><address type='pci' bus='0x01' multifunction='on'/></disk>": {"address@multifunction": "on"},
    "<disk><source file='/a'><encryption format='luks' engine='qemu'/></source></disk>": {
        "source/encryption@engine": "qemu"
    },
    "<disk><b/><b>text</b><b c='d'/></disk>": {"b": "present", "b 1": "text", "b 2@c": "d"},
    "<disk><!-- said --><n:b xmlns:n='urn:n' c='d'/></disk>": {"{urn:n}b@c": "d"},
}


@pytest.mark.parametrize(("text", "expected"), SETTINGS.items(), ids=SETTINGS)
def test_settings_are_what_no_field_tells(text: str, expected: dict[str, str]) -> None:
    assert settings(etree.fromstring(text), OF_DISKS) == expected


def test_a_name_goes_before_every_path() -> None:
    clock = etree.fromstring("<clock offset='utc'><timer name='rtc'/></clock>")
    assert settings(clock, name="clock") == {"clock@offset": "utc", "clock/timer@name": "rtc"}
    assert settings(etree.fromstring("<title>one</title>"), name="title") == {"title": "one"}


def place_of(element: etree._Element) -> str:
    names = [str(each.tag) for each in (element, *element.iterancestors())]
    return "/".join(reversed(names[:-1])) or "domain"


def other(value: str) -> str:
    """A value of the same kind: libvirt's numbers are decimal or begin with 0x."""
    if re.fullmatch(r"\d+", value):
        return str(int(value) + 1)
    return hex(int(value, 16) + 1) if re.fullmatch(r"0x[0-9a-f]+", value) else f"{value}x"


def changes(root: etree._Element) -> Iterator[str]:
    """What has just been changed in the domain, an attribute, a text or a missing element; it is changed back then."""
    for element in list(root.iter()):
        place, text, parent = place_of(element), element.text, element.getparent()
        for name, value in element.items():
            element.set(name, other(str(value)))
            yield f"{place}@{name!s}"
            element.set(name, value)
        if text and text.strip():
            element.text = other(text)
            yield f"{place} text"
            element.text = text
        if parent is not None and parent is not root:
            index = parent.index(element)
            parent.remove(element)
            yield f"{place} missing"
            parent.insert(index, element)


UNSEEN = {
    "devices/controller@index": "libvirt's own number, unless something hangs on the controller",
    "devices/controller/address@domain": "libvirt defines PCI domain 0 only",
    "devices/disk/address@domain": "the same",
    "devices/interface/address@domain": "the same",
    "devices/memballoon/address@domain": "the same",
    "devices/disk/address@bus": "libvirt defines bus 0 only on SATA",
    "devices/disk/address@target": "libvirt defines target 0 only on SATA and IDE",
}


ALLOTTED = {
    "<console type='pty' tty='/dev/pts/0'><source path='/dev/pts/0'/></console>": {"@type": "pty"},
    "<serial type='file'><source path='/log'/></serial>": {"@type": "file", "source@path": "/log"},
    "<graphics type='vnc' port='5900' autoport='yes'/>": {"@type": "vnc", "@autoport": "yes"},
    "<graphics type='vnc' port='5907' autoport='no'/>": {"@type": "vnc", "@port": "5907", "@autoport": "no"},
}


@pytest.mark.parametrize(("text", "expected"), ALLOTTED.items(), ids=ALLOTTED)
def test_what_was_free_on_the_host_is_no_setting(text: str, expected: dict[str, str]) -> None:
    assert settings(etree.fromstring(text)) == expected


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_every_attribute_text_and_element_is_compared(machine: str) -> None:
    root = live(machine)
    for firmware in root.findall("sysinfo[@type='fwcfg']"):
        root.remove(firmware)
    known = sources(root)
    normal = inventory(root, known)
    expected = Expected(tokens=dict(known.tokens))
    unchanged = set(compare_rescued(normal, normal, expected))
    unseen = set()
    for what in changes(root):
        try:
            found = compare_rescued(normal, inventory(root, known), expected)
        except HostError:
            continue
        if set(found) == unchanged:
            unseen.add(what)
    assert sorted(unseen - UNSEEN.keys()) == []
