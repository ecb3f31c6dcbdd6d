"""Decide who changed a kernel name: the rescue, or the kernel's own probing. Only further boots can tell.

Linux probes SATA ports, USB devices and different host controllers side by side and hands out names by arrival
(drivers/scsi/sd.c: sd_probe and its async probing). Names over intact addresses may therefore differ between two boots
of one and the same domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.comparison import holders
from harness.verdict.control_boots import broken_in_controls
from harness.verdict.expected import RESCUE
from harness.verdict.finding import Finding
from harness.verdict.network import network_interfaces, pair_network_interfaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.evidence.address import Address
    from harness.verdict.expected import Expected

_NOT_INTACT = {
    ClaimName.ALL_PRESENT,
    ClaimName.ADDRESSES,
    ClaimName.IDENTITY,
    ClaimName.CONTENT,
    ClaimName.OTHER_HARDWARE,
}


def needs_control_boots(
    findings: Sequence[Finding], predicted: Mapping[State, Inventory] = MappingProxyType({})
) -> tuple[State, ...]:
    """Return the states to boot again before anyone can be blamed for a changed name; none if no name is in doubt.

    A name of a disk or a NIC is in doubt if it differs while address and identity do not. The first boots of a state
    count as well, so each state needs only its control boots in addition.

    ``predicted``: the names that each state's domain allows its disks. Linux can give some disks, such as virtio
    disks, one name only. If such a disk had that name in both states, the domain changed the name, and no name is in
    doubt.
    """
    suspects = [finding for finding in _suspects(findings) if not _is_certain(finding, predicted)]
    if not suspects:
        return ()
    others = {finding.state for finding in suspects}
    return (State.NORMAL, *(state for state in (State.RESCUED, State.UNRESCUED) if state in others))


def _is_certain(finding: Finding, predicted: Mapping[State, Inventory]) -> bool:
    """Return whether both names of a finding are the only ones that Linux could give in their states."""
    return all(
        _only_name(finding.device, predicted.get(state)) == name
        for state, name in ((State.NORMAL, finding.before), (finding.state, finding.after))
    )


def _only_name(disk: str, predicted: Inventory | None) -> str | None:
    for device in predicted.block_devices if predicted is not None else ():
        if device.marker is not None and device.marker.disk == disk and device.predicted is not None:
            possible = device.predicted.possible
            return possible[0] if len(possible) == 1 else None
    return None


def is_shown_to_race(
    findings: Sequence[Finding],
    expected: Expected,
    normal_boots: Sequence[Inventory],
    rescued_boots: Sequence[Inventory],
    unrescued_boots: Sequence[Inventory] = (),
) -> bool:
    """Return whether every name in doubt has varied within a state and is common to both: more boots can blame nobody.

    The boots are those of ``settle_by_controls``.
    """
    boots = {State.NORMAL: normal_boots, State.RESCUED: rescued_boots, State.UNRESCUED: unrescued_boots}
    suspects = _suspects(findings)
    if _displaced(suspects, expected, normal_boots[0], boots):
        return False
    for finding in suspects:
        state = finding.state
        history = _history(finding.device, expected, normal_boots[0], boots)
        if not _races(history, state) or not set(_names(history, State.NORMAL)) & set(_names(history, state)):
            return False
    return True


def settle_by_controls(
    findings: Sequence[Finding],
    expected: Expected,
    normal_boots: Sequence[Inventory],
    rescued_boots: Sequence[Inventory],
    unrescued_boots: Sequence[Inventory] = (),
    *,
    is_hot: bool = False,
) -> tuple[Finding, ...]:
    """Attribute each name in doubt that varies within a state to a kernel race; leave the others to rescue.

    ``is_hot``: devices came or went between the first normal boot and its inventory. A name that only this inventory
    has, while the other normal boots agree with those of the compared state, is attributed to the reboot.

    Each sequence holds all boots of its state, the compared one first. An empty sequence is a state that was not
    booted; the normal one cannot be empty. Findings that only control boots show are added: a name that varies though
    the first boots agreed, and a disk that a control boot lacks.
    """
    cold = normal_boots[1:] if is_hot else normal_boots
    boots = {State.NORMAL: cold, State.RESCUED: rescued_boots, State.UNRESCUED: unrescued_boots}
    suspects = _suspects(findings)
    first = normal_boots[0]
    displaced = _displaced(suspects, expected, first, boots)
    settled = [
        _settled(finding, _history(finding.device, expected, first, boots), finding.state, is_hot=is_hot)
        if finding in suspects and finding not in displaced
        else finding
        for finding in findings
    ]
    return (
        *settled,
        *_seen_in_controls_only(findings, expected, first, boots, is_hot=is_hot),
        *broken_in_controls(settled, expected, cold[0] if cold else first, boots),
    )


def _displaced(
    suspects: Sequence[Finding], expected: Expected, first: Inventory, boots: dict[State, Sequence[Inventory]]
) -> list[Finding]:
    """Return the names in doubt of disks that race with each other, if the rescue device took one name from them.

    The rescue device has that name in every rescued boot, so the disks never race for it there. One of the disks has
    the name in every normal boot.
    """
    taken = {seen.name for seen in _history(RESCUE, expected, first, boots)[State.RESCUED] if seen is not None}
    histories = {disk: _history(disk, expected, first, boots) for disk in expected.disks}
    racing = {disk: history for disk, history in histories.items() if _races(history, State.RESCUED)}
    normal_boots = zip(*(history[State.NORMAL] for history in racing.values()), strict=True)
    if len(taken) != 1 or not all(any(seen and seen.name in taken for seen in boot) for boot in normal_boots):
        return []
    return [finding for finding in suspects if finding.state is State.RESCUED and finding.device in racing]


@dataclass(frozen=True, slots=True)
class _Seen:
    boot_id: str | None
    name: str
    address: Address


_History = dict[State, tuple[_Seen | None, ...]]


def _suspects(findings: Sequence[Finding]) -> list[Finding]:
    broken = {
        (finding.device, finding.state)
        for finding in findings
        if not finding.is_about_a_name and finding.subject in _NOT_INTACT and finding.cause == "rescue"
    }
    return [
        finding
        for finding in findings
        if finding.is_about_a_name and finding.cause == "rescue" and (finding.device, finding.state) not in broken
    ]


def _history(device: str, expected: Expected, first: Inventory, boots: dict[State, Sequence[Inventory]]) -> _History:
    return {
        state: tuple(_seen(device, expected, first, inventory) for inventory in inventories)
        for state, inventories in boots.items()
    }


def _seen(device: str, expected: Expected, first: Inventory, inventory: Inventory) -> _Seen | None:
    if device in network_interfaces(first):
        same = pair_network_interfaces(first, inventory)[device]
        return None if same is None else _Seen(inventory.boot_id, same.name, same.address)
    if device in expected.tokens:
        copies = holders(inventory, expected, device)
    else:
        unmarked = first.block_device(device)
        copies = tuple(
            disk for disk in inventory.block_devices if unmarked is not None and disk.address == unmarked.address
        )
    return _Seen(inventory.boot_id, copies[0].name, copies[0].address) if copies else None


def _names(history: _History, state: State) -> list[str]:
    return [seen.name for seen in history[state] if seen is not None]


def _races(history: _History, state: State) -> bool:
    addresses = {seen.address for key in (State.NORMAL, state) for seen in history[key] if seen is not None}
    varying = any(len(set(_names(history, key))) > 1 for key in (State.NORMAL, state))
    return varying and len(addresses) == 1


def _rate(history: _History, state: State, name: str) -> str:
    # Control boots of a definition that the unrescued domain has, too, are boots of both states.
    seen = dict.fromkeys(each for key in (State.NORMAL, state) for each in history[key] if each is not None)
    return f"{sum(each.name != name for each in seen)} of {len(seen)} boots named it otherwise"


def _settled(finding: Finding, history: _History, state: State, *, is_hot: bool) -> Finding:
    if is_hot and _follows_the_reboot(finding, history, state):
        cold = len(history[State.NORMAL])
        return finding.model_copy(
            update={
                "cause": "reboot",
                "message": f"{finding.message}; so it is in all {cold} normal boots after the steps",
            }
        )
    if not _races(history, state):
        return finding
    return finding.model_copy(
        update={
            "cause": "kernel-race",
            "rate": _rate(history, state, finding.before),
            "message": finding.message + _remark(history, state),
        }
    )


def _follows_the_reboot(finding: Finding, history: _History, state: State) -> bool:
    """Return whether all boots of both states agree on the new name, at one address."""
    seen = [sighting for key in (State.NORMAL, state) for sighting in history[key]]
    agreed = {sighting.name for sighting in seen if sighting is not None} == {finding.after}
    return (
        bool(history[State.NORMAL])
        and None not in seen
        and agreed
        and len({each.address for each in seen if each}) == 1
    )


def _remark(history: _History, state: State) -> str:
    normal, other = set(_names(history, State.NORMAL)), set(_names(history, state))
    if not normal & other:
        sets = f"normal: {', '.join(sorted(normal))}; {state}: {', '.join(sorted(other))}"
        return f"; no name is common to both states ({sets}), so that rescue may have a part in it"
    if len(normal) == 1:
        return f"; the name varies in the {state} state only"
    return ""


def _seen_in_controls_only(
    findings: Sequence[Finding],
    expected: Expected,
    first: Inventory,
    boots: dict[State, Sequence[Inventory]],
    *,
    is_hot: bool,
) -> Iterator[Finding]:
    told = {(finding.device, finding.state) for finding in findings if finding.is_about_a_name}
    nics = network_interfaces(first)
    for device in (*expected.disks, *nics):
        history = _history(device, expected, first, boots)
        yield from _missing_in_controls(device, history[State.NORMAL], is_nic=device in nics, is_hot=is_hot)
        for state in (State.RESCUED, State.UNRESCUED):
            if (device, state) in told or not _races(history, state):
                continue
            # The normal state's own race has been told of the rescued state already.
            if state is State.UNRESCUED and len(set(_names(history, state))) < 2:
                continue
            claim = ClaimName.OTHER_HARDWARE if device in nics else ClaimName.NAMES
            names = _names(history, State.NORMAL) + _names(history, state)
            after = next(name for name in names if name != names[0])
            yield Finding(
                claim=ClaimName.RESTORED if state is State.UNRESCUED else claim,
                aspect=None if claim is ClaimName.NAMES and state is State.RESCUED else ClaimName.NAMES,
                device=device,
                before=names[0],
                after=after,
                message=f"{names[0]} -> {after} in control boots only",
                cause="kernel-race",
                rate=_rate(history, state, names[0]),
            )


def _missing_in_controls(
    device: str, sightings: Sequence[_Seen | None], *, is_nic: bool, is_hot: bool
) -> Iterator[Finding]:
    """Yield a finding if boots of the normal state lack the device, though the compared boot had it.

    If ``is_hot``, the compared boot is none of these boots.
    """
    lacking = sum(seen is None for seen in sightings)
    if lacking and (is_hot or sightings[0] is not None):
        yield Finding(
            claim=ClaimName.OTHER_HARDWARE if is_nic else ClaimName.ALL_PRESENT,
            device=device,
            before="present",
            after="missing",
            message=f"missing in {lacking} of {len(sightings)} boots of the normal state",
        )
