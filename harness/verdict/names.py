"""Compare the kernel names of disks: those that a guest shows, and all that Linux may give in each state's domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.evidence.inventory import State
from harness.scenario.words import ClaimName, Level
from harness.verdict.comparison import Comparison, Pair, compare
from harness.verdict.finding import Finding
from harness.verdict.restoring import as_restored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.evidence.inventory import Inventory, KernelNames
    from harness.verdict.expected import Expected


class DiskNames(NamedTuple):
    """The names that Linux may give a disk in the normal domain and in another state's domain."""

    normal: KernelNames
    other: KernelNames

    @property
    def differ(self) -> bool:
        """Return whether Linux usually gives a name in the other domain that it does not in the normal domain.

        A disk that had an order and has none is the case of several names after one.
        """
        return not self.other.are_usual_in(self.normal)

    @property
    def has_company(self) -> bool:
        """Return whether the usual names are the normal ones, and a new device may take one of them all the same."""
        return not self.differ and not set(self.other.possible) <= set(self.normal.possible)

    def can_race(self, name: str) -> bool:
        """Return whether a disk may have this name by the guest's own race, without any doing of the rescue."""
        return not self.differ and name in self.normal.possible


def names(comparison: Comparison) -> Iterator[Finding]:
    """Compare kernel names, which an fstab and administrators rely on.

    Without a guest, compare all the names that Linux may give, or else target names.
    """
    which = "" if comparison.normal.level is Level.GUEST else "target "
    for pair in comparison.pairs:
        seen = (pair.before.name, pair.after.name)
        predicted = _predicted(pair)
        if predicted is not None and predicted.differ and (str(predicted.normal), str(predicted.other)) != seen:
            yield _of_names(pair.disk, predicted)
        elif seen[0] != seen[1]:
            yield _finding(pair.disk, *seen, which)


def names_by_disk(domains: Mapping[State, Inventory], expected: Expected) -> dict[tuple[State, str], DiskNames]:
    """Return the names that Linux may give each disk of a state, from the inventories of the domains."""
    return {
        (state, pair.disk): predicted
        for state, domain in domains.items()
        if state is not State.NORMAL
        for pair in compare(state, domains[State.NORMAL], domain, expected, booted_before=()).pairs
        if pair.disk in expected.tokens and (predicted := _predicted(pair)) is not None
    }


def by_domains(seen: Sequence[Finding], predicted: Mapping[tuple[State, str], DiskNames]) -> tuple[Finding, ...]:
    """Return a guest's findings, with one finding for each disk whose names the domains have changed.

    This finding does not depend on luck: it is there, and is the same, whichever of the new names the guest gave.
    """
    kept: list[Finding] = []
    told: dict[tuple[State, str], str] = {}
    for finding in seen:
        key = (finding.state, finding.device)
        changed = predicted.get(key)
        if not finding.is_about_a_name or changed is None or not changed.differ:
            kept.append(finding)
        elif (finding.before, finding.after) == (str(changed.normal), str(changed.other)):
            told[key] = ""
            kept.append(finding)
        elif finding.after in changed.other.possible:
            told[key] = f"; seen as {finding.after}"
        else:
            kept.append(finding)
    for key, changed in predicted.items():
        if changed.differ and told.get(key) != "":
            state, disk = key
            finding = _of_names(disk, changed, told.get(key, ""))
            kept += as_restored([finding]) if state is State.UNRESCUED else [finding]
    return tuple(kept)


def remarks(predicted: Mapping[tuple[State, str], DiskNames]) -> Iterator[str]:
    """Return a sentence on names that stay as they are only as long as Linux finds the rescue device last."""
    kept = [disk for (state, disk), each in predicted.items() if state is State.RESCUED and each.has_company]
    if kept:
        which = "the name" if len(kept) == 1 else "the names"
        yield f"Linux usually finds it after {', '.join(kept)}, and nothing guarantees {which}"


def _predicted(pair: Pair) -> DiskNames | None:
    before, after = pair.before.predicted, pair.after.predicted
    return None if before is None or after is None else DiskNames(before, after)


def _of_names(disk: str, predicted: DiskNames, more: str = "") -> Finding:
    before, after = str(predicted.normal), str(predicted.other)
    chance = ", by chance" if len(predicted.other.usual) > 1 else ""
    return _finding(disk, before, after, "in Linux ", f"{chance}{more}")


def _finding(disk: str, before: str, after: str, which: str, more: str = "") -> Finding:
    message = f"{which}{before} -> {after}{more}"
    return Finding(claim=ClaimName.NAMES, device=disk, before=before, after=after, message=message)
