"""The harness's own needs in a guest, put into the domain that Nova hands to libvirt."""

from __future__ import annotations

from typing import Any

import libvirt
from lxml import etree

CONSOLE = "console=ttyS0"
BIOS_SPEAKS_SINCE = 9_000_000
AUTHORIZED_KEYS_ENTRY = "opt/rescue-harness/authorized_keys"


def with_access(xml: Any, keys: dict[str, str]) -> str:
    """Add the harness's SSH key to QEMU's firmware configuration, and put the ports on QEMU's user-mode network.

    SeaBIOS, and boot loaders that print through it, print on the serial port too, as in the harness's own domains.
    No change adds or moves a device. A domain that was read back from libvirt may have both already, and keeps
    them. An instance's own kernel gets its console on the serial port: Nova's command line ends with console=hvc0, and
    no guest here has that device.
    """
    root = etree.fromstring(xml)
    for sysinfo in root.findall("sysinfo[@type='fwcfg']"):
        root.remove(sysinfo)
    sysinfo = etree.Element("sysinfo", type="fwcfg")
    etree.SubElement(sysinfo, "entry", name=AUTHORIZED_KEYS_ENTRY).text = keys[root.findtext("uuid") or ""]
    root.insert(0, sysinfo)
    for element in root.findall("os") if libvirt.getVersion() >= BIOS_SPEAKS_SINCE else ():
        bios = element.find("bios")
        (etree.SubElement(element, "bios") if bios is None else bios).set("useserial", "yes")
    for line in root.findall("os/cmdline"):
        consoles = [word for word in (line.text or "").split() if word.startswith("console=")]
        if consoles[-1:] != [CONSOLE]:
            line.text = f"{line.text} {CONSOLE}"
    for number, interface in enumerate(root.findall("devices/interface")):
        interface.set("type", "user")
        for name in ("source", "target", "script", "backend", "driver", "ip"):
            for element in interface.findall(name):
                interface.remove(element)
        if number:
            etree.SubElement(interface, "ip", family="ipv4", address=f"10.0.{2 + number}.0", prefix="24")
    return etree.tostring(root, encoding="unicode")
