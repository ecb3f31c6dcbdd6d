"""Decide who changed a kernel name: the rescue, or the kernel's own probing. Only further boots can tell.

Linux probes SATA ports, USB devices and different host controllers side by side and hands out names by arrival
(drivers/scsi/sd.c: sd_probe and its async probing). Names over intact addresses may therefore differ between two boots
of one and the same domain, but only among the names that this domain can give.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.comparison import holders
from harness.verdict.control_boots import broken_in_controls
from harness.verdict.finding import Finding
from harness.verdict.network import network_interfaces, pair_network_interfaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.evidence.address import Address
    from harness.verdict.expected import Expected
    from harness.verdict.names import DiskNames

_NOT_INTACT = {
    ClaimName.ALL_PRESENT,
    ClaimName.ADDRESSES,
    ClaimName.IDENTITY,
    ClaimName.CONTENT,
    ClaimName.OTHER_HARDWARE,
}


def needs_control_boots(
    findings: Sequence[Finding], predicted: Mapping[tuple[State, str], DiskNames] = MappingProxyType({})
) -> tuple[State, ...]:
    """Return the states to boot again before anyone can be blamed for a changed name; none if no name is in doubt.

    A name of a disk or a NIC is in doubt if it differs while address and identity do not. The first boots of a state
    count as well, so each state needs only its control boots in addition.

    ``predicted``: the names that Linux may give each disk of a state. A name that the normal domain cannot give is the
    rescue's doing. So is any name of a disk whose names the domains have changed. Neither is in doubt.
    """
    suspects = _suspects(findings, predicted)
    if not suspects:
        return ()
    others = {finding.state for finding in suspects}
    return (State.NORMAL, *(state for state in (State.RESCUED, State.UNRESCUED) if state in others))


def is_shown_to_race(
    findings: Sequence[Finding],
    expected: Expected,
    normal_boots: Sequence[Inventory],
    rescued_boots: Sequence[Inventory],
    unrescued_boots: Sequence[Inventory] = (),
    *,
    predicted: Mapping[tuple[State, str], DiskNames] = MappingProxyType({}),
) -> bool:
    """Return whether every name in doubt has varied within a state: more boots can blame nobody.

    The boots are those of ``settle_by_controls``.
    """
    boots = {State.NORMAL: normal_boots, State.RESCUED: rescued_boots, State.UNRESCUED: unrescued_boots}
    return all(
        _races(_history(finding.device, expected, normal_boots[0], boots), finding.state)
        for finding in _suspects(findings, predicted)
    )


def settle_by_controls(
    findings: Sequence[Finding],
    expected: Expected,
    normal_boots: Sequence[Inventory],
    rescued_boots: Sequence[Inventory],
    unrescued_boots: Sequence[Inventory] = (),
    *,
    predicted: Mapping[tuple[State, str], DiskNames] = MappingProxyType({}),
    is_hot: bool = False,
) -> tuple[Finding, ...]:
    """Attribute each name in doubt that varies within a state to a kernel race; leave the others to rescue.

    ``predicted``: see ``needs_control_boots``. A race is excused among the names that the normal domain can give.

    ``is_hot``: devices came or went between the first normal boot and its inventory. A name that only this inventory
    has, while the other normal boots agree with those of the compared state, is attributed to the reboot.

    Each sequence holds all boots of its state, the compared one first. An empty sequence is a state that was not
    booted; the normal one cannot be empty. Findings that only control boots show are added: a name that varies though
    the first boots agreed, and a disk that a control boot lacks.
    """
    cold = normal_boots[1:] if is_hot else normal_boots
    boots = {State.NORMAL: cold, State.RESCUED: rescued_boots, State.UNRESCUED: unrescued_boots}
    suspects = _suspects(findings, predicted)
    first = normal_boots[0]
    settled = [
        _settled(finding, _history(finding.device, expected, first, boots), finding.state, is_hot=is_hot)
        if finding in suspects
        else finding
        for finding in findings
    ]
    return (
        *settled,
        *_seen_in_controls_only(findings, expected, first, boots, predicted, is_hot=is_hot),
        *broken_in_controls(settled, expected, cold[0] if cold else first, boots),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    boot_id: str | None
    name: str
    address: Address


_History = dict[State, tuple[_Seen | None, ...]]


def _suspects(findings: Sequence[Finding], predicted: Mapping[tuple[State, str], DiskNames]) -> list[Finding]:
    broken = {
        (finding.device, finding.state)
        for finding in findings
        if not finding.is_about_a_name and finding.subject in _NOT_INTACT and finding.cause == "rescue"
    }
    return [
        finding
        for finding in findings
        if finding.is_about_a_name
        and finding.cause == "rescue"
        and (finding.device, finding.state) not in broken
        and _can_race(predicted.get((finding.state, finding.device)), finding.after)
    ]


def _can_race(predicted: DiskNames | None, name: str) -> bool:
    return predicted is None or predicted.can_race(name)


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
    rate = _rate(history, state, finding.before)
    return finding.model_copy(update={"cause": "kernel-race", "rate": rate})


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


def _seen_in_controls_only(
    findings: Sequence[Finding],
    expected: Expected,
    first: Inventory,
    boots: dict[State, Sequence[Inventory]],
    predicted: Mapping[tuple[State, str], DiskNames],
    *,
    is_hot: bool,
) -> Iterator[Finding]:
    told = {(finding.state, finding.device): finding for finding in findings if finding.is_about_a_name}
    nics = network_interfaces(first)
    for device in (*expected.disks, *nics):
        history = _history(device, expected, first, boots)
        yield from _missing_in_controls(device, history[State.NORMAL], is_nic=device in nics, is_hot=is_hot)
        for state in (State.RESCUED, State.UNRESCUED):
            names = predicted.get((state, device))
            if names is not None and names.differ:
                continue
            known = told.get((state, device))
            yield from _impossible_in_controls(device, history, state, names, known)
            if known is not None or not _races(history, state):
                continue
            # The normal state's own race has been told of the rescued state already.
            if state is State.UNRESCUED and len(set(_names(history, state))) < 2:
                continue
            seen = [
                name for name in (*_names(history, State.NORMAL), *_names(history, state)) if _can_race(names, name)
            ]
            after = next((name for name in seen if name != seen[0]), None)
            if after is not None:
                rate = _rate(history, state, seen[0])
                message = f"{seen[0]} -> {after} in control boots only"
                yield _about_a_name(
                    device, state, seen[0], after, message, is_nic=device in nics, cause="kernel-race", rate=rate
                )


def _impossible_in_controls(
    device: str, history: _History, state: State, names: DiskNames | None, known: Finding | None
) -> Iterator[Finding]:
    """Yield a finding for each name of a control boot that the normal domain cannot give."""
    seen = _names(history, state)
    before = next(iter(_names(history, State.NORMAL)), None)
    for name in dict.fromkeys(seen):
        if before is not None and not _can_race(names, name) and (known is None or known.after != name):
            message = f"{before} -> {name} in {seen.count(name)} of {len(seen)} boots of the {state} state"
            yield _about_a_name(device, state, before, name, message, is_nic=False)


def _about_a_name(
    device: str, state: State, before: str, after: str, message: str, *, is_nic: bool, **cause: Any
) -> Finding:
    claim = ClaimName.OTHER_HARDWARE if is_nic else ClaimName.NAMES
    is_restored = state is State.UNRESCUED
    return Finding(
        claim=ClaimName.RESTORED if is_restored else claim,
        aspect=ClaimName.NAMES if is_nic or is_restored else None,
        device=device,
        before=before,
        after=after,
        message=message,
        **cause,
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
