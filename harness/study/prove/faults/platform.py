"""Faults of the machine itself: its type, its firmware, its description of itself."""

from __future__ import annotations

import re

from lxml import etree

from harness.scenario.words import ClaimName
from harness.study.prove.faults.draft import Draft, NotApplicable, child
from harness.study.prove.faults.fault import Fault


def _machine(draft: Draft) -> None:
    kind = draft.one("os/type")
    version = re.search(r"\d+\.\d+$", kind.get("machine", ""))
    if version is None:
        raise NotApplicable("a machine type without version")
    kind.set("machine", kind.get("machine", "")[: version.start()] + "6.2")


def _uuid(draft: Draft) -> None:
    new = "00000000-0000-4000-8000-000000000001"
    draft.one("uuid").text = new
    for entry in draft.root.findall("sysinfo/system/entry[@name='uuid']"):
        entry.text = new


def _memory(draft: Draft) -> None:
    memory = draft.one("memory")
    memory.text = str(2 * int(memory.text or "0"))


def _processor_offline(draft: Draft) -> None:
    vcpu = draft.one("vcpu")
    vcpu.set("current", vcpu.text or "1")
    vcpu.text = str(int(vcpu.text or "1") + 1)


def _processor(draft: Draft) -> None:
    for cpu in draft.root.findall("cpu"):
        draft.root.remove(cpu)
    cpu = etree.SubElement(draft.root, "cpu", mode="custom", match="exact", check="none")
    etree.SubElement(cpu, "model").text = "Nehalem"


def _clock(draft: Draft) -> None:
    draft.one("clock").set("offset", "localtime")


def _smbios(draft: Draft) -> None:
    draft.one("sysinfo/system/entry[@name='product']").text = "Rescue"


def _variables(draft: Draft) -> None:
    variables = draft.one("os/nvram")
    variables.text = f"{variables.text}.new"


def _forget_the_choice_of_firmware(draft: Draft) -> None:
    """Take out what libvirt 11 writes beside a loader that is named: by it, it would choose that loader again."""
    os_element = draft.one("os")
    os_element.attrib.pop("firmware", "")
    for features in os_element.findall("firmware"):
        os_element.remove(features)


def _loader(draft: Draft) -> None:
    _forget_the_choice_of_firmware(draft)
    loader = draft.one("os/loader")
    loader.text = f"{loader.text}.other"


def _bios(draft: Draft) -> None:
    _forget_the_choice_of_firmware(draft)
    os_element = draft.one("os")
    for tag in ("loader", "nvram"):
        os_element.remove(child(os_element, tag))


def _secure_boot_lost(draft: Draft) -> None:
    _forget_the_choice_of_firmware(draft)
    draft.one("os/loader[@secure='yes']").set("secure", "no")
    features = draft.one("features")
    features.remove(child(features, "smm"))


PLATFORM_FAULTS = (
    Fault(
        "another-machine-type",
        "the machine type is of another version",
        ClaimName.OTHER_HARDWARE,
        rescued=_machine,
    ),
    Fault("another-uuid", "the domain has another UUID", ClaimName.OTHER_HARDWARE, rescued=_uuid),
    Fault("more-memory", "the domain has twice the memory", ClaimName.OTHER_HARDWARE, rescued=_memory),
    Fault("another-processor", "the CPU is of another model", ClaimName.OTHER_HARDWARE, rescued=_processor),
    Fault(
        "processor-offline",
        "the domain has one more CPU, offline",
        ClaimName.OTHER_HARDWARE,
        rescued=_processor_offline,
    ),
    Fault("another-clock", "the clock runs in local time", ClaimName.OTHER_HARDWARE, rescued=_clock),
    Fault("another-product-name", "SMBIOS names another product", ClaimName.OTHER_HARDWARE, rescued=_smbios),
    Fault(
        "uefi-variables-lost",
        "the firmware has a variable store that is not the instance's",
        ClaimName.OTHER_HARDWARE,
        rescued=_variables,
    ),
    Fault("another-firmware", "the firmware is another build", ClaimName.OTHER_HARDWARE, rescued=_loader),
    Fault(
        "secure-boot-lost",
        "the firmware's keys are no longer guarded by SMM",
        ClaimName.OTHER_HARDWARE,
        rescued=_secure_boot_lost,
    ),
    Fault("bios-for-uefi", "a UEFI instance is rescued with BIOS", ClaimName.OTHER_HARDWARE, rescued=_bios),
)
