"""Decide who changed a kernel name: the rescue, or the kernel's own probing. Only further boots can tell.

Linux probes SATA ports, USB devices and different host controllers side by side and hands out names by arrival
(drivers/scsi/sd.c: sd_probe and its async probing). Names over intact addresses may therefore differ between two boots
of one and the same domain, but only among the names that this domain can give.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.evidence.inventory import Inventory, State
from harness.scenario.words import ClaimName
from harness.verdict.control_boots import broken_in_controls
from harness.verdict.finding import Finding
from harness.verdict.name_history import History, Seen, history_of
from harness.verdict.network import network_interfaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    boots_before: int = 1,
) -> bool:
    """Return whether every name in doubt has varied within a state: more boots can blame nobody.

    The boots are those of ``settle_by_controls``.
    """
    boots = {State.NORMAL: normal_boots, State.RESCUED: rescued_boots, State.UNRESCUED: unrescued_boots}
    return all(
        history_of(finding.device, expected, normal_boots[0], boots, boots_before).races(finding.state)
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
    boots_before: int = 1,
    is_hot: bool = False,
) -> tuple[Finding, ...]:
    """Attribute each name in doubt that varies within a state to a kernel race; leave the others to rescue.

    ``predicted``: see ``needs_control_boots``. A race is excused among the names that the normal domain can give.

    ``boots_before``: how many of the normal boots, the compared one among them, came before the rescue. A name that was
    one before the rescue and is another in every normal boot afterwards has not varied: the rescue changed it for good.

    ``is_hot``: devices came or went between the first normal boot and its inventory. A name that only this inventory
    has, while the other normal boots agree with those of the compared state, is attributed to the reboot.

    Each sequence holds all boots of its state, the compared one first. An empty sequence is a state that was not
    booted; the normal one cannot be empty. Findings that only control boots show are added: a name that varies though
    the first boots agreed, and a disk that a control boot lacks.
    """
    cold = normal_boots[1:] if is_hot else normal_boots
    boots = {State.NORMAL: cold, State.RESCUED: rescued_boots, State.UNRESCUED: unrescued_boots}
    suspects = _suspects(findings, predicted)
    first, before = normal_boots[0], 0 if is_hot else boots_before
    settled = [
        _settled(finding, history_of(finding.device, expected, first, boots, before), finding.state, is_hot=is_hot)
        if finding in suspects
        else finding
        for finding in findings
    ]
    return (
        *settled,
        *_seen_in_controls_only(findings, expected, first, boots, predicted, before, is_hot=is_hot),
        *broken_in_controls(settled, expected, cold[0] if cold else first, boots),
    )


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


def _settled(finding: Finding, history: History, state: State, *, is_hot: bool) -> Finding:
    if is_hot and _follows_the_reboot(finding, history, state):
        cold = len(history.seen[State.NORMAL])
        return finding.model_copy(
            update={
                "cause": "reboot",
                "message": f"{finding.message}; so it is in all {cold} normal boots after the steps",
            }
        )
    if not history.races(state):
        return finding
    rate = history.rate(state, finding.before)
    return finding.model_copy(update={"cause": "kernel-race", "rate": rate})


def _follows_the_reboot(finding: Finding, history: History, state: State) -> bool:
    """Return whether all boots of both states agree on the new name, at one address."""
    seen = [sighting for key in (State.NORMAL, state) for sighting in history.seen[key]]
    agreed = {sighting.name for sighting in seen if sighting is not None} == {finding.after}
    return (
        bool(history.seen[State.NORMAL])
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
    before: int,
    *,
    is_hot: bool,
) -> Iterator[Finding]:
    told = {(finding.state, finding.device): finding for finding in findings if finding.is_about_a_name}
    nics = network_interfaces(first)
    for device in (*expected.disks, *nics):
        history = history_of(device, expected, first, boots, before)
        yield from _missing_in_controls(device, history.seen[State.NORMAL], is_nic=device in nics, is_hot=is_hot)
        for state in (State.RESCUED, State.UNRESCUED):
            names = predicted.get((state, device))
            if names is not None and names.differ:
                continue
            known = told.get((state, device))
            yield from _impossible_in_controls(device, history, state, names, known)
            if known is not None or not history.races(state):
                continue
            # The normal state's own race has been told of the rescued state already.
            if state is State.UNRESCUED and len(set(history.names(state))) < 2:
                continue
            seen = [name for name in (*history.names(State.NORMAL), *history.names(state)) if _can_race(names, name)]
            after = next((name for name in seen if name != seen[0]), None)
            if after is not None:
                rate = history.rate(state, seen[0])
                message = f"{seen[0]} -> {after} in control boots only"
                yield _about_a_name(
                    device, state, seen[0], after, message, is_nic=device in nics, cause="kernel-race", rate=rate
                )


def _impossible_in_controls(
    device: str, history: History, state: State, names: DiskNames | None, known: Finding | None
) -> Iterator[Finding]:
    """Yield a finding for each name of a control boot that the normal domain cannot give."""
    seen = history.names(state)
    before = next(iter(history.names(State.NORMAL)), None)
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
    device: str, sightings: Sequence[Seen | None], *, is_nic: bool, is_hot: bool
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
