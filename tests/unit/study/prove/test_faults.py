"""Every fault breaks something, is listed once, and can be told from the others."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from harness.domain.disk_mapping import map_disks
from harness.domain.placement import DiskSource, EmulatedTpm, Placement, UefiFirmware
from harness.domain.xml import disks_of, parse_domain, serialise, source_of
from harness.errors import Refused
from harness.image.command import run
from harness.implementation.protocol import Implementation, Rescue, RunningInstance
from harness.implementation.reference.implementation import Reference
from harness.reading.cases import SHIPPED_SUITE, collect_cases
from harness.scenario.disks import Volume
from harness.scenario.rescue_image import RescueImage
from harness.scenario.steps import AttachVolume, DetachVolume, RescueFrom, Snapshot
from harness.scenario.words import ClaimName, Firmware, Level, Role, VerdictName
from harness.study.prove.faults import FAULTS, Broken, Fault
from harness.study.prove.faults.draft import Draft, NotApplicable

from ...implementation.reference.test_implementation import REQUESTS, full, live

NAMES = [fault.name for fault in FAULTS]
ANY_PLACE = Reference(leaves_names_to_chance=True)
DISK_BYTES = 1024 * 1024


def test_there_are_many_and_none_is_there_twice() -> None:
    assert len(FAULTS) >= 25
    assert not [name for name, count in Counter(NAMES).items() if count > 1]
    edits = Counter((fault.normal, fault.rescued, fault.unrescued) for fault in FAULTS)
    assert edits.most_common(1)[0][1] == 1


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_name_and_summary_are_short_and_plain(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fault.name)
    assert len(fault.summary) <= 110
    assert not fault.summary.endswith(".")


def test_every_claim_is_named_by_a_fault() -> None:
    assert {fault.claim for fault in FAULTS} == set(ClaimName)


def test_cases_of_faults_are_in_the_suite_and_stable() -> None:
    cases = {case.id: case.point.scenario for case in collect_cases([SHIPPED_SUITE], Reference())}
    wanted = {fault.case for fault in FAULTS if fault.case}
    assert wanted <= cases.keys()
    verdicts = {entry.verdict for case in wanted for entry in cases[case].expect if not entry.when}
    assert verdicts == {VerdictName.STABLE}


MORE_DEVICES = """
  <filesystem type='mount'><driver type='virtiofs'/><source dir='/share'/><target dir='share'/></filesystem>
  <tpm model='tpm-crb'><backend type='emulator' version='2.0'><encryption secret='a-secret'/></backend></tpm>
  <video><model type='virtio' heads='1' primary='yes'/></video>
  <vsock model='virtio'><cid auto='yes' address='3'/></vsock>
"""

# A variable's header is 60 bytes that end with its GUID; the state is the third of them (edk2, VariableFormat.h).
PLATFORM_KEY = (
    b"\xaa\x55\x3f".ljust(44, b"\0")
    + uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le
    + "PK\0".encode("utf-16-le")
)
# What the samples lack and a fault may need, beside other firmware.
VARIATIONS: dict[str, Callable[[str], str]] = {
    "as recorded": lambda text: text,
    "lsilogic": lambda text: text.replace("model='virtio-scsi'", "model='lsilogic'"),
    "encrypted": lambda text: text.replace(
        "volume1.raw' index='3'/>", "volume1.raw'><encryption format='luks'/></source>"
    ),
    "over NBD": lambda text: text.replace(
        "<source file='/instances/full/volume1.raw' index='3'/>",
        "<source protocol='nbd' name='volume1'><host name='127.0.0.1' port='10809'/></source>",
    ),
    "other devices": lambda text: text.replace("model='piix3-uhci'", "model='qemu-xhci'").replace(
        "<memballoon",
        "<filesystem type='mount'><source dir='/share'/><target dir='share'/></filesystem>"
        "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
        "<watchdog model='i6300esb' action='none'/><memballoon",
    ),
    "more devices": lambda text: text.replace("</devices>", f"{MORE_DEVICES}</devices>"),
    "LUN": lambda text: text.replace("device='disk'", "device='lun'", 1),
    "secure boot": lambda text: text.replace("<loader ", "<loader secure='yes' ").replace(
        "<features>", "<features><smm state='on'/>"
    ),
    "direct kernel": lambda text: text.replace(
        "<boot dev='hd'/>", "<kernel>/kernel</kernel><cmdline>console=ttyS0</cmdline><boot dev='hd'/>"
    ),
    "second LUN": lambda text: text.replace("unit='0'/>", "unit='1'/>"),
}


STEPS = (
    RescueFrom(rescue=RescueImage()),
    DetachVolume(detach="gone"),
    AttachVolume(attach=Volume(role=Role.VOLUME)),
    Snapshot(snapshot="volume1"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the samples' disks and variables are: a file for each, of its name over and over; root is laid over one."""
    disks = re.findall(r"/instances/full/([\w.]+)", live("pc"))
    for path in (*disks, "rescue.qcow2", "variables.fd", "template.fd", "tpm.permall"):
        (tmp_path / path).write_bytes((path.encode() * DISK_BYTES)[:DISK_BYTES])
    root = tmp_path / "root.qcow2"
    image = root.rename(tmp_path / "instance.img")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image, root)
    with (tmp_path / "variables.fd").open("r+b") as variables:
        variables.write(PLATFORM_KEY)
    return tmp_path


def running_instances(folder: Path) -> Iterator[RunningInstance]:
    for machine, vary, firmware in product(("pc", "q35"), VARIATIONS.values(), Firmware):
        subject = full(machine, firmware=firmware)
        text = live(machine)
        uefi = None
        if firmware is Firmware.UEFI:
            uefi = UefiFirmware(Path("/OVMF_CODE.fd"), folder / "template.fd", folder / "variables.fd")
            loader = f"<loader type='pflash'>{uefi.code_path}</loader><nvram>{uefi.variables_path}</nvram>"
            text = text.replace("<boot dev='hd'/>", f"{loader}<boot dev='hd'/>")
        text = vary(text).replace("/instances/full", str(folder))
        paths = [folder / Path(source_of(disk) or "").name for disk in disks_of(parse_domain(live(machine)))]
        sources = {
            path.stem: DiskSource(path, "qcow2" if path.stem == "root" else "raw")
            for path in (*paths, folder / "rescue.qcow2")
        }
        placement = Placement(
            domain_name="rh-1",
            uuid="b6186992-7207-4000-8000-000000000000",
            mac="52:54:00:b6:18:69",
            domain_type="qemu",
            emulator="/usr/bin/qemu-system-x86_64",
            mapping=map_disks(subject),
            sources=sources,
            uefi=uefi,
            rescue_variables_path=folder / "variables-rescue.fd" if uefi else None,
            tpm=EmulatedTpm(folder, "a-secret") if "<tpm" in text else None,
        )
        yield RunningInstance(subject, placement, text)
        below = DiskSource(folder / "below.raw", "raw")
        stepped = {"gone": DiskSource(folder / "gone.raw", "raw"), "volume1": replace(sources["volume1"], below=below)}
        yield RunningInstance(subject, replace(placement, sources=sources | stepped), text, STEPS)


def cases(folder: Path) -> Iterator[tuple[RunningInstance, RescueImage]]:
    images = [RescueImage.model_validate({"properties": properties}) for properties in REQUESTS.values()]
    return product(running_instances(folder), images)


def files_of(placement: Placement) -> dict[Path, bytes]:
    uefi, tpm = placement.uefi, placement.tpm
    paths = [source.path for source in placement.sources.values()]
    paths += [source.path.with_name("disk.rescue") for name, source in placement.sources.items() if name == "rescue"]
    paths += ([uefi.variables_path] if uefi else []) + (sorted(tpm.state_path.glob("*.permall")) if tpm else [])
    return {path: path.read_bytes() for path in paths if path.is_file()}


def made_by(implementation: Implementation, running: RunningInstance, image: RescueImage) -> tuple[object, ...]:
    """Every domain, and while it is rescued and afterwards the files behind the disks and the firmware."""
    normal = implementation.normal(running.instance, running.placement)
    rescued = implementation.rescued(running, image).xml
    files = files_of(running.placement)
    unrescued = implementation.unrescued(Rescue(running, rescued, running.live_xml))
    domains = (normal, rescued, unrescued)
    return *(serialise(parse_domain(xml)) for xml in domains), files, files_of(running.placement)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.refuses], ids=lambda fault: fault.name)
def test_a_fault_that_refuses_does_harm_first(fault: Fault, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for running, image in cases(folder):
        with pytest.raises(Refused) as caught:
            Broken(fault).rescued(running, image)
        if caught.value.refused_by == "reference" and "thank" in caught.value.reason:
            assert {path: path.read_bytes() for path in folder.iterdir()} != before
            return
    pytest.fail("no sample has anything that it could break")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not fault.refuses], ids=lambda fault: fault.name)
def test_fault_breaks_a_domain_or_a_file(fault: Fault, folder: Path) -> None:
    for running, image in cases(folder):
        try:
            whole = made_by(ANY_PLACE, running, image)
            broken = made_by(Broken(fault, ANY_PLACE), running, image)
        except Refused:
            continue
        assert broken != whole
        return
    pytest.fail("no sample has anything that it could break")


def test_fault_that_needs_another_file_leaves_a_domain_without_files_alone(tmp_path: Path) -> None:
    running, image = next(cases(tmp_path))
    of_files = [fault for fault in FAULTS if fault.level is not Level.PLAN and "volume-" in fault.name]
    assert of_files
    for fault in of_files:
        broken = Broken(fault).rescued(running, image)
        assert serialise(parse_domain(broken.xml)) == Reference().rescued(running, image).xml
        assert not list(tmp_path.iterdir())


def nothing(draft: Draft) -> None:
    del draft


def test_legacy_rescue_is_not_broken_any_further(folder: Path) -> None:
    running, _ = next(cases(folder))
    fault = Fault("idle", "nothing is broken", ClaimName.NAMES, rescued=nothing)
    with pytest.raises(NotApplicable, match="legacy"):
        Broken(fault).rescued(running, RescueImage())


def test_saved_domain_is_given_back_as_it_is_unless_the_fault_is_there(folder: Path) -> None:
    running, image = next(cases(folder))
    broken = Broken(Fault("idle", "nothing is broken", ClaimName.NAMES, rescued=nothing))
    rescued = broken.rescued(running, image)
    assert broken.unrescued(Rescue(running, rescued.xml, running.live_xml)) == running.live_xml
    assert broken.name == "fault:idle"


def test_fault_breaks_something_and_names_a_case_only_beyond_plan() -> None:
    with pytest.raises(ValueError, match="breaks nothing"):
        Fault("idle", "nothing is broken", ClaimName.NAMES)
    with pytest.raises(ValueError, match="case"):
        Fault("idle", "nothing is broken", ClaimName.NAMES, rescued=nothing, level=Level.GUEST)
    with pytest.raises(ValueError, match="case"):
        Fault("idle", "nothing is broken", ClaimName.NAMES, rescued=nothing, case="virtio-disk[pc]")


@pytest.mark.parametrize(("model", "is_brought"), [("none", True), ("piix3-uhci", False)])
def test_a_controller_that_says_there_is_no_usb_is_none(folder: Path, model: str, is_brought: bool) -> None:
    running = next(running_instances(folder))
    domains = [
        parse_domain(f"<domain><devices><controller type='usb' index='0' model='{each}'/></devices></domain>")
        for each in (model, "qemu-xhci")
    ]
    before, after = domains
    draft = Draft(after, running.placement, before)
    assert bool(draft.brought_controllers()) is is_brought
