"""What the reference and a Nova make of one rescue, at mapping level, and in which aspects the two differ.

Mapping level is which disks there are, under which target name, on which bus, as which device type, in which order on
each bus, what is booted, and who is refused what. Addresses are not part of it: see docs/reference/claims.md for those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.domain.disk_names import RESCUE
from harness.domain.xml import disk_target, disks_of, parse_domain, source_of

KERNEL = "the instance's own kernel"


class Aspect(StrEnum):
    """What the two can differ in."""

    INSTANCE = "the instance is refused"
    FIRMWARE = "the instance's domain is not defined"
    DISKS = "the instance's disks"
    TARGETS = "target names of the instance's disks"
    KINDS = "buses and device types of the instance's disks"
    ORDER = "order of the instance's disks on a bus"
    BOOT = "what the instance boots"
    REFUSAL = "who is refused, and why"
    GUEST = "the guest after a refusal"
    RESCUE_KIND = "the rescue disk's bus or device type"
    RESCUE_TARGET = "the rescue disk's target name"
    RESCUE_BOOT = "what the rescue boots"
    KEPT = "the instance's disks in the rescue"


class Reason(StrEnum):
    """Classes of reasons for which a rescue is refused."""

    COMBINATION = "bus and device type do not go together, or the machine lacks the bus"
    VALUE = "a value is no bus or device type"
    LUN = "a rescue image is no block device"
    HYPERVISOR = "another hypervisor"
    FULL = "the bus is full"
    FIRMWARE = "the firmware does not read the medium"
    KERNEL_NAME = "the kernel name of a disk would be uncertain"
    VOLUME = "the instance is volume-backed"


_WORDS: dict[Reason, str] = {
    Reason.COMBINATION: r"cannot be on bus|a virtio \w+ does not exist|bus ide does not exist"
    r"|Invalid bus type|does not support ejectable media|IDE controllers are unsupported",
    Reason.VALUE: r"is none of|Field value .* is invalid|Requested rescue device .* is not supported",
    Reason.LUN: r"needs a block device|only valid for block type disk source|hw_lun_bus",
    Reason.HYPERVISOR: r"stable device rescue is not supported on|Requested rescue bus .* is not supported by",
    Reason.FULL: r"has no (place|free)|maximum allowed number of disk devices|Only 1 (ide|fdc) controller",
    Reason.FIRMWARE: r"cannot boot under UEFI",
    Reason.KERNEL_NAME: r"would make the kernel name",
    Reason.VOLUME: r"volume-backed instance",
}


@dataclass(frozen=True)
class Refusal:
    """A rescue that was refused; ``guest_is_off`` if that came too late for the running guest."""

    reason: Reason
    guest_is_off: bool


@dataclass(frozen=True)
class DiskPlace:
    """A disk at mapping level."""

    target: str
    bus: str
    device: str

    @property
    def kind(self) -> tuple[str, str]:
        """Bus and device type."""
        return self.bus, self.device


@dataclass(frozen=True)
class DiskMap:
    """The disks of one domain by their names, their order on each bus, and what is booted, first to last."""

    disks: Mapping[str, DiskPlace]
    order: Mapping[str, tuple[str, ...]]
    boots: tuple[str, ...]


@dataclass(frozen=True)
class Behaviour:
    """What an implementation makes of an instance and of its rescue; ``is_definable`` of its domains as they were."""

    normal: DiskMap | None
    rescued: DiskMap | Refusal | None
    is_definable: bool = True


def reason_of(message: str) -> Reason:
    """The class of a refusal's message, of the reference's, Nova's or libvirt's.

    Raises:
        ValueError: it is of none.
    """
    for reason, words in _WORDS.items():
        if re.search(words, message):
            return reason
    msg = f"a refusal of no known class: {message}"
    raise ValueError(msg)


def disk_map(xml: str, names: Mapping[str, str]) -> DiskMap:
    """The mapping that a domain shows, given which disk each source is."""
    root = parse_domain(xml)
    disks: dict[str, DiskPlace] = {}
    orders: dict[str, list[str]] = {}
    ordered: list[tuple[int, str]] = []
    for element in disks_of(root):
        name = names.get(source_of(element) or "", "none of the instance")
        target, bus = disk_target(element)
        disks[name] = DiskPlace(target, bus, element.get("device", "disk"))
        orders.setdefault(bus, []).append(name)
        boot = element.find("boot")
        if boot is not None:
            ordered.append((int(boot.get("order", "0")), name))
    if root.find("os/kernel") is not None:
        boots: tuple[str, ...] = (KERNEL,)
    elif ordered:
        boots = tuple(name for _, name in sorted(ordered))
    else:
        boots = tuple(_booted(disks, [each.get("dev", "") for each in root.findall("os/boot")]))
    return DiskMap(disks, {bus: tuple(each) for bus, each in orders.items()}, boots)


def _booted(disks: Mapping[str, DiskPlace], devices: list[str]) -> list[str]:
    """libvirt makes the first disk of each type bootable (qemuBuildDisksCommandLine)."""
    found = []
    for device in devices:
        wanted = "disk" if device == "hd" else device
        found += [name for name, place in disks.items() if place.device == wanted][:1]
    return found


def differences(reference: Behaviour, nova: Behaviour) -> frozenset[Aspect]:
    """The aspects in which the two differ; where one refuses the instance itself, there is nothing else to compare."""
    if reference.normal is None or nova.normal is None:
        return frozenset({Aspect.INSTANCE} if reference.normal != nova.normal else ())
    found = set(_of_normal(reference.normal, nova.normal))
    if reference.is_definable != nova.is_definable:
        found.add(Aspect.FIRMWARE)
    ours, theirs = reference.rescued, nova.rescued
    if isinstance(ours, DiskMap) and isinstance(theirs, DiskMap):
        found |= _of_rescued(ours, theirs)
        if _changes(reference.normal, ours) != _changes(nova.normal, theirs):
            found.add(Aspect.KEPT)
    elif isinstance(ours, Refusal) and isinstance(theirs, Refusal):
        if ours.reason is not theirs.reason:
            found.add(Aspect.REFUSAL)
        if ours.guest_is_off != theirs.guest_is_off:
            found.add(Aspect.GUEST)
    else:
        found.add(Aspect.REFUSAL)
        if any(isinstance(each, Refusal) and each.guest_is_off for each in (ours, theirs)):
            found.add(Aspect.GUEST)
    return frozenset(found)


def _of_normal(ours: DiskMap, theirs: DiskMap) -> set[Aspect]:
    if set(ours.disks) != set(theirs.disks):
        return {Aspect.DISKS}
    found = set()
    if any(place.target != theirs.disks[name].target for name, place in ours.disks.items()):
        found.add(Aspect.TARGETS)
    if any(place.kind != theirs.disks[name].kind for name, place in ours.disks.items()):
        found.add(Aspect.KINDS)
    if ours.order != theirs.order:
        found.add(Aspect.ORDER)
    if ours.boots != theirs.boots:
        found.add(Aspect.BOOT)
    return found


def _of_rescued(ours: DiskMap, theirs: DiskMap) -> set[Aspect]:
    found = set()
    our_rescue, their_rescue = ours.disks.get(RESCUE), theirs.disks.get(RESCUE)
    if our_rescue is None or their_rescue is None:
        return {Aspect.RESCUE_KIND} if our_rescue != their_rescue else set()
    if our_rescue.kind != their_rescue.kind:
        found.add(Aspect.RESCUE_KIND)
    if our_rescue.target != their_rescue.target or _is_last(ours) != _is_last(theirs):
        found.add(Aspect.RESCUE_TARGET)
    if ours.boots != theirs.boots:
        found.add(Aspect.RESCUE_BOOT)
    return found


def _is_last(rescued: DiskMap) -> bool:
    return rescued.order[rescued.disks[RESCUE].bus][-1] == RESCUE


def _changes(normal: DiskMap, rescued: DiskMap) -> dict[str, DiskPlace | tuple[str, ...] | None]:
    """What a rescue makes of the instance's disks: places that changed, None for disks that are gone, and their order.

    Against each implementation's own normal domain: names that differ there are found there, once.
    """
    places: dict[str, DiskPlace | tuple[str, ...] | None] = {
        name: rescued.disks.get(name) for name, place in normal.disks.items() if rescued.disks.get(name) != place
    }
    for bus, names in normal.order.items():
        left = tuple(name for name in rescued.order.get(bus, ()) if name != RESCUE)
        if left != names and not any(name in places for name in names):
            places[f"order on {bus}"] = left
    return places
