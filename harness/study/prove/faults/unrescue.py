"""Faults of unrescue: the instance comes back changed."""

from __future__ import annotations

import copy
import shutil

from lxml import etree

from harness.domain.disk_names import RESCUE
from harness.domain.pinning import without_boot_order
from harness.domain.xml import devices_of
from harness.scenario.words import ClaimName, Level, Role
from harness.study.prove.faults.draft import Draft, NotApplicable, drop_addresses
from harness.study.prove.faults.fault import Fault


def _rescued(draft: Draft) -> Draft:
    if draft.before is None:
        raise NotApplicable("no rescue went before")
    return Draft(copy.deepcopy(draft.before), draft.placement)


def _still_rescued(draft: Draft) -> None:
    for element in list(draft.root):
        draft.root.remove(element)
    draft.root.extend(_rescued(draft).root)


def _rescue_disk_kept(draft: Draft) -> None:
    rescued = _rescued(draft)
    for boot in rescued.devices.findall("*/boot"):
        boot.getparent().remove(boot)  # type: ignore[union-attr]
    draft.root.replace(draft.devices, rescued.devices)


def _controller_kept(draft: Draft) -> None:
    rescued = _rescued(draft)
    brought = Draft(rescued.root, draft.placement, draft.root).brought_controllers()
    if not brought:
        raise NotApplicable("the rescue brings no controller")
    draft.devices.extend(brought)


def _not_pinned(draft: Draft) -> None:
    _controller_kept(draft)
    drop_addresses(devices_of(draft.root))


def _boot_order_kept(draft: Draft) -> None:
    without_boot_order(draft.root)
    etree.SubElement(draft.root_disk, "boot", order="2")


def _network_told_to_boot(draft: Draft) -> None:
    draft.one("os/boot").addnext(etree.Element("boot", dev="network"))


def _other_command_line(draft: Draft) -> None:
    command_line = draft.one("os/cmdline")
    command_line.text = f"{command_line.text} single"


def _volume_lost(draft: Draft) -> None:
    draft.devices.remove(draft.first(Role.VOLUME))


def _medium_left_over(draft: Draft) -> None:
    medium = draft.placement.sources[RESCUE].path
    if medium.is_file():  # at level plan there are no files
        shutil.copyfile(medium, medium.with_name("disk.rescue"))


UNRESCUE_FAULTS = (
    Fault(
        "unrescue-does-nothing",
        "the rescued domain stays after the unrescue",
        ClaimName.BOOTED_FROM_RESCUE,
        unrescued=_still_rescued,
    ),
    Fault(
        f"{RESCUE}-disk-kept",
        "the rescue disk stays after the unrescue",
        ClaimName.RESTORED,
        unrescued=_rescue_disk_kept,
    ),
    Fault(
        "controller-kept",
        "a controller that came with the rescue disk stays after the unrescue",
        ClaimName.RESTORED,
        unrescued=_controller_kept,
    ),
    Fault(
        "unrescue-not-pinned",
        "the unrescue has libvirt hand out all addresses anew, with the rescue's controller still there",
        ClaimName.RESTORED,
        unrescued=_not_pinned,
    ),
    Fault(
        "boot-order-kept",
        "the unrescued domain has its boot order by device, as only while rescued",
        ClaimName.RESTORED,
        unrescued=_boot_order_kept,
        # The order is the same, however it is written.
        is_of_text_alone=True,
    ),
    Fault(
        "network-told-to-boot",
        "the unrescued domain boots from the network if its root disk does not boot",
        ClaimName.RESTORED,
        unrescued=_network_told_to_boot,
    ),
    Fault(
        "kernel-argument-kept",
        "a kernel that QEMU starts has one argument more after the unrescue",
        ClaimName.RESTORED,
        unrescued=_other_command_line,
        # The settings leave the command line out, because a guest shows it; here is no guest.
        is_of_text_alone=True,
    ),
    Fault(
        "volume-lost",
        "a volume is missing after the unrescue",
        ClaimName.RESTORED,
        unrescued=_volume_lost,
    ),
    Fault(
        "medium-left-over",
        "a copy of the rescue medium is left in the instance's folder after the unrescue",
        ClaimName.RESTORED,
        unrescued=_medium_left_over,
        level=Level.MACHINE,
        case="virtio-disk[pc]",
    ),
)
