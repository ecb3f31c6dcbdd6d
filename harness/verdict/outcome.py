"""Turn findings into a verdict, and compare a verdict with the scenario's expectation."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.errors import Refused
from harness.frozen import Frozen
from harness.scenario.models import Expectation, ExpectedFinding
from harness.scenario.words import Level, VerdictName
from harness.verdict.coverage import blind_to
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Mismatch(Frozen):
    """The difference between outcome and expectation: a sentence for each, and the findings behind them."""

    sentences: tuple[str, ...]
    unexpected: tuple[Finding, ...] = ()
    missing: tuple[ExpectedFinding, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def verdict_of(findings: Sequence[Finding]) -> VerdictName:
    """Return ``moved`` if any finding has the cause rescue, else ``stable``.

    A kernel race is reported, and not blamed on the rescue.
    """
    return VerdictName.MOVED if any(finding.cause == "rescue" for finding in findings) else VerdictName.STABLE


def meets(
    expectation: Expectation,
    verdict: VerdictName,
    findings: Sequence[Finding],
    refusal: Refused | None = None,
    *,
    unfit: str | None = None,
    level: Level = Level.GUEST,
) -> Mismatch | None:
    """Compare an outcome with the expectation; None means that the case ended as expected.

    An expectation is either exactly the listed findings, or a refusal with this reason in its message, or an instance
    that is ``unfit`` for this reason. A refusal leaves the guest as the expectation says. If a case rescues several
    times, a later rescue may be refused, and a refused rescue may have done harm: then there are findings, too, and
    they must be exactly the listed ones.

    Findings with the cause kernel race neither break an expectation nor fulfil one, but they excuse an expected
    finding that the race may hide. Findings with the cause guest kernel fulfil an expectation of that cause, and break
    none. Findings about the harness's own model break every expectation. A finding that the level of the case cannot
    see is not missed.
    """
    if verdict in (VerdictName.ERROR, VerdictName.REFUSED, VerdictName.UNFIT) and not (
        verdict is VerdictName.REFUSED is expectation.verdict
    ):
        return _meets_without_findings(expectation, verdict, refusal, unfit)
    refused = (*_refused_beside_findings(expectation, refusal), *_unfit_beside_findings(expectation, unfit))
    if expectation.verdict is VerdictName.REFUSED and refusal is None:
        return Mismatch(sentences=(f"expected a refusal ({expectation.reason}), but it was carried out: {verdict}",))
    if expectation.verdict is VerdictName.UNFIT and unfit is None:
        return Mismatch(sentences=(f"expected an unfit instance ({expectation.reason}), but it boots: {verdict}",))
    wanted = [entry for entry in expectation.findings if level in entry.levels]
    unexpected = tuple(
        finding
        for finding in findings
        if finding.cause == "model"
        or (finding.cause == "rescue" and not any(_fulfils(entry, finding) for entry in wanted))
    )
    racing = [finding for finding in findings if finding.cause == "kernel-race"]
    missing = tuple(
        entry
        for entry in wanted
        if entry.claim not in blind_to(level)
        and (entry.cause == "rescue" or level is Level.GUEST)
        and not (entry.unless_race and any(_is_about(entry, finding) for finding in racing))
        and not any(_fulfils(entry, finding) for finding in findings)
    )
    miscounted = tuple(_miscounted(wanted, findings))
    if not unexpected and not missing and not refused and not miscounted:
        return None
    return Mismatch(
        sentences=(
            *refused,
            *map(told_as_unexpected, unexpected),
            *(_not_found(entry, findings) for entry in missing),
            *miscounted,
        ),
        unexpected=unexpected,
        missing=missing,
    )


def _miscounted(wanted: Sequence[ExpectedFinding], findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a sentence for each entry that matches some findings, and not as many as it says."""
    for entry in wanted:
        found = sum(_fulfils(entry, finding) for finding in findings)
        if entry.count is not None and found and found not in entry.count:
            numbers = " or ".join(map(str, entry.count))
            yield f"expected {numbers} of {_told(entry)}, but found {found}"


def _meets_without_findings(
    expectation: Expectation, verdict: VerdictName, refusal: Refused | None, unfit: str | None
) -> Mismatch | None:
    if verdict is VerdictName.REFUSED:
        return _meets_refused(expectation, refusal or Refused("no reason given"))
    if verdict is VerdictName.UNFIT:
        return _meets_unfit(expectation, unfit or "no reason given")
    return Mismatch(sentences=(f"expected {expectation.verdict}: ended in an error, so nothing is known",))


def told_as_unexpected(finding: Finding) -> str:
    """Return the sentence of a mismatch for a finding that no entry of ``expect`` allows."""
    return f"unexpected: {finding.claim} {finding}"


def _refused_beside_findings(expectation: Expectation, refusal: Refused | None) -> tuple[str, ...]:
    if refusal is None:
        return ()
    mismatch = _meets_refused(expectation, refusal)
    return () if mismatch is None else mismatch.sentences


def _unfit_beside_findings(expectation: Expectation, unfit: str | None) -> tuple[str, ...]:
    mismatch = None if unfit is None else _meets_unfit(expectation, unfit)
    return () if mismatch is None else mismatch.sentences


def _meets_unfit(expectation: Expectation, unfit: str) -> Mismatch | None:
    if expectation.verdict is not VerdictName.UNFIT:
        return Mismatch(sentences=(f"unexpected: {told_as_unfit(unfit)}",))
    if _names_reason(expectation, unfit):
        return None
    return Mismatch(sentences=(f"unexpected: {told_as_unfit(unfit)}; expected was: {expectation.reason}",))


def told_as_unfit(unfit: str) -> str:
    """Return the sentence on an instance that is unfit by itself."""
    return f"the instance is unfit: {unfit}"


def _names_reason(expectation: Expectation, said: str) -> bool:
    return (expectation.reason or "").casefold() in said.casefold()


def _meets_refused(expectation: Expectation, refusal: Refused) -> Mismatch | None:
    if expectation.verdict is not VerdictName.REFUSED:
        return Mismatch(sentences=(f"unexpected: {refusal.sentence}",))
    sentences = []
    if not _names_reason(expectation, refusal.reason):
        sentences.append(f"unexpected: {refusal.sentence}; expected was: {expectation.reason}")
    if expectation.guest_after is not refusal.guest:
        sentences.append(f"expected a refusal with the guest {expectation.guest_after}, but it is {refusal.guest}")
    return Mismatch(sentences=tuple(sentences)) if sentences else None


def _fulfils(entry: ExpectedFinding, finding: Finding) -> bool:
    return entry.cause == finding.cause and _matches(entry, finding)


def _is_about(entry: ExpectedFinding, finding: Finding) -> bool:
    return entry.claim is finding.claim and fnmatchcase(finding.device, entry.device)


def _matches(entry: ExpectedFinding, finding: Finding) -> bool:
    return _is_about(entry, finding) and entry.before in {None, finding.before} and entry.after in {None, finding.after}


def _not_found(entry: ExpectedFinding, findings: Sequence[Finding]) -> str:
    text = f"expected but not found: {_told(entry)}"
    race = next((finding for finding in findings if finding.cause == "kernel-race" and _matches(entry, finding)), None)
    return text if race is None else f"{text} (only as a kernel race, {race.rate})"


def _told(entry: ExpectedFinding) -> str:
    text = f"{entry.claim} {entry.device}"
    if entry.before is not None or entry.after is not None:
        text += f": {entry.before or '*'} -> {entry.after or '*'}"
    return text
