"""Record what a paused QEMU answers, as the samples machine-*.json, and its live XML beside it.

    python tests/unit/samples/machine-record.py defined.xml machine-pc [libvirt URI]

The domain is any definition, such as a run's ``rescued/defined.xml``; each disk gets an empty file in place of its own.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import libvirt

from harness.domain.xml import disks_of, parse_domain, serialise
from harness.evidence.machine.machine_inventory import machine_inventory
from harness.evidence.plan.domain_inventory import Sources
from harness.guest.booted import stop_domain
from harness.guest.paused import PausedMachine
from harness.hypervisor.connection import connect, embedded_uri
from harness.hypervisor.roots import held_root

FOLDER = Path(__file__).parent
KEPT_LINES = re.compile(
    r" *(bus: |type |dev: |class .+, addr |addr .+, port "
    r"|(channel|scsi-id|lun|unit|serial|wwn|vendor|product|model|logical_block_size|mac) = )"
)
MEBIBYTE = 1 << 20


def main(definition: Path, name: str, uri: str | None) -> None:
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        domain_xml = with_empty_files(definition.read_text(), work)
        where = uri or embedded_uri(stack.enter_context(held_root()).path)
        domain = stack.enter_context(connect(where)).defineXML(domain_xml)
        stack.callback(domain.undefineFlags, libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        stack.callback(stop_domain, domain)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        machine = PausedMachine(domain, domain.XMLDesc(0))
        answers: list[object] = []

        def query(command: str, **arguments: object) -> object:
            returned = machine.query(command, **arguments)
            answers.append({"execute": command, "arguments": arguments, "return": trimmed(command, returned)})
            return returned

        machine_inventory(query, machine.live_xml, Sources({}, {}))
    text = json.dumps(answers, indent=1) + "\n"
    (FOLDER / f"{name}.json").write_text(text.replace(str(work), "/instances"))
    (FOLDER / f"{name}.xml").write_text(machine.live_xml.replace(str(work), "/instances"))


def with_empty_files(domain_xml: str, work: Path) -> str:
    root = parse_domain(domain_xml)
    for element in (*root.findall("sysinfo"), *root.findall("os/smbios"), *root.findall("devices/serial")):
        element.getparent().remove(element)
    for console in root.findall("devices/console"):
        console.getparent().remove(console)
    for number, disk in enumerate(disks_of(root), 1):
        source, driver = disk.find("source"), disk.find("driver")
        path = work / Path(source.get("file")).stem
        with path.open("wb") as file:
            file.truncate(number * MEBIBYTE)
        source.set("file", str(path))
        driver.set("type", "raw")
    variables = root.find("os/nvram")
    if variables is not None:
        variables.text = str(shutil.copy(variables.get("template"), work / "uefi-variables.fd"))
    return serialise(root)


def trimmed(command: str, returned: object) -> object:
    """What the harness reads of an answer, the long text by lines."""
    if command == "human-monitor-command":
        return [line.rstrip() for line in returned.splitlines() if KEPT_LINES.match(line)]
    if command == "query-block":
        return [trimmed_block(block) for block in returned]
    return returned


def trimmed_block(block: dict) -> dict:
    kept = {key: block[key] for key in ("qdev", "removable")}
    if "inserted" in block:
        inserted = block["inserted"]
        size = {"virtual-size": inserted["image"]["virtual-size"]}
        kept["inserted"] = {"file": inserted["file"], "ro": inserted["ro"], "image": size}
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
