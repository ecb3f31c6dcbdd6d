"""The harness's own access to a guest: a serial log, where the BIOS speaks too, and the SSH key.

All states get the same. The key travels in QEMU's firmware configuration: that adds no device, needs no image to be
rebuilt, and writes to no disk under test. In a user's image, the system's serial number tells cloud-init where to fetch
the key. The serial port is on the ISA bus, so it moves no PCI address.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from harness.domain.xml import devices_of, parse_domain, serialise

AUTHORIZED_KEYS_ENTRY = "opt/rescue-harness/authorized_keys"
BIOS_SPEAKS_SINCE = 9_000_000
"""libvirt's version from which ``useserial`` is a word to SeaBIOS; an earlier one may add a device, sgabios."""


def with_access(
    domain_xml: str,
    *,
    console_path: Path,
    authorized_keys: str,
    system_serial: str | None = None,
    bios_speaks: bool = False,
) -> str:
    """Return the domain with the harness's serial log and key; they replace any that the domain already had.

    ``system_serial`` replaces the SMBIOS serial number of the system. ``bios_speaks``: SeaBIOS, and boot loaders that
    print through it, print on the serial port too.

    Raises:
        HostError: the text is no domain XML.
    """
    root = parse_domain(domain_xml)
    for element in root.findall("sysinfo[@type='fwcfg']"):
        root.remove(element)
    devices = devices_of(root)
    for element in [*_first_serial_ports(devices), *devices.findall("console")]:
        devices.remove(element)
    os_element = root.find("os")
    if bios_speaks and os_element is not None:
        _child(os_element, "bios").set("useserial", "yes")
    position = 0 if os_element is None else root.index(os_element)
    root.insert(position, _firmware_configuration(authorized_keys))
    other_port = devices.find("serial")
    position = len(devices) if other_port is None else devices.index(other_port)
    devices.insert(position, _serial_log(console_path))
    if system_serial is not None:
        _set_system_serial(root, system_serial)
    return serialise(root)


def _set_system_serial(root: etree._Element, serial: str) -> None:
    """Set the SMBIOS serial number of the system; add the elements that the domain lacks for it."""
    sysinfo = root.find("sysinfo[@type='smbios']")
    if sysinfo is None:
        sysinfo = etree.SubElement(root, "sysinfo", type="smbios")
    system = _child(sysinfo, "system")
    entry = system.find("entry[@name='serial']")
    if entry is None:
        entry = etree.SubElement(system, "entry", name="serial")
    entry.text = serial
    _child(_child(root, "os"), "smbios").set("mode", "sysinfo")


def _child(parent: etree._Element, tag: str) -> etree._Element:
    found = parent.find(tag)
    return etree.SubElement(parent, tag) if found is None else found


def _first_serial_ports(devices: etree._Element) -> list[etree._Element]:
    """Return the harness's serial port; the instance's own ports come after it."""
    return [
        serial
        for serial in devices.findall("serial")
        if (target := serial.find("target")) is None or target.get("port", "0") == "0"
    ]


def _firmware_configuration(authorized_keys: str) -> etree._Element:
    sysinfo = etree.Element("sysinfo", type="fwcfg")
    entry = etree.SubElement(sysinfo, "entry", name=AUTHORIZED_KEYS_ENTRY)
    entry.text = authorized_keys
    return sysinfo


def _serial_log(path: Path) -> etree._Element:
    serial = etree.Element("serial", type="file")
    etree.SubElement(serial, "source", path=str(path), append="off")
    etree.SubElement(serial, "target", type="isa-serial", port="0")
    return serial
