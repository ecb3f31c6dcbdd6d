"""Check the claims ``restored`` and ``data``: after the unrescue all is as before, except for intended writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import GuestAfter
from harness.scenario.words import ClaimName
from harness.verdict.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.errors import Refused
    from harness.evidence.inventory import Inventory
    from harness.verdict.comparison import Comparison
    from harness.verdict.expected import ByteRange, HostEvidence

_DOMAIN, _SAVED = "domain", "saved"
UNCHANGED = "unchanged"
"""The ``before`` of a finding of ``data`` about bytes that nobody was meant to write."""


def as_restored(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Return the same deviations as the unrescued state's: ``aspect`` keeps the claim they came from."""
    for finding in findings:
        yield finding.model_copy(
            update={
                "claim": ClaimName.RESTORED,
                "aspect": finding.aspect or finding.claim,
                "message": f"{finding.message}, after unrescue",
            }
        )


def restored_on_host(host: HostEvidence) -> Iterator[Finding]:
    """Compare the redefined domain and its UEFI variables with those saved before the rescue."""
    for device, equal, what in (
        (_DOMAIN, host.domain_xml_equal, "the domain XML is not byte for byte the one saved before the rescue"),
        ("nvram", host.nvram_equal, "the UEFI variables are not those from before the rescue"),
    ):
        if equal is False:
            yield Finding(claim=ClaimName.RESTORED, device=device, before=_SAVED, after="different", message=what)


def restored_system(normal: Inventory, unrescued: Inventory) -> Iterator[Finding]:
    """Compare the kernel that the instance boots, its command line and its mode; a rescue image has its own."""
    for what, before, after in (
        ("kernel", normal.kernel, unrescued.kernel),
        ("command line", normal.command_line, unrescued.command_line),
        ("lockdown", normal.lockdown, unrescued.lockdown),
    ):
        if before is not None and before != after:
            old, new = f"{what} {before or 'none'}", f"{what} {after or 'none'}"
            yield Finding(
                claim=ClaimName.RESTORED,
                device="guest",
                before=old,
                after=new,
                message=f"{old} -> {new}, after unrescue",
            )


def is_of_text_alone(finding: Finding) -> bool:
    """Return whether a finding says only that the domain's text differs, and not how."""
    return finding.claim is ClaimName.RESTORED and (finding.device, finding.before) == (_DOMAIN, _SAVED)


def not_given_back(refused: Refused) -> Finding:
    """Return the finding that the implementation does not unrescue an instance that it has rescued."""
    return Finding(
        claim=ClaimName.RESTORED,
        device="instance",
        before="rescued",
        after="off" if refused.guest is GuestAfter.SHUT_OFF else "rescued still",
        message=f"is not given back, {refused.refused_by} refuses: {refused.reason}",
    )


def data(comparison: Comparison, host: HostEvidence) -> Iterator[Finding]:
    """Check that tokens written while rescued are on their disks, and that nothing else has changed."""
    written = comparison.expected.written
    carried_by: dict[str, list[str]] = {}
    for device in comparison.other.block_devices:
        if device.data_token is not None:
            carried_by.setdefault(device.data_token, []).append(comparison.disk_of(device) or device.name)
    for pair in comparison.pairs:
        if pair.disk in comparison.expected.read_only or pair.disk not in written:
            wanted = pair.before.data_token
        else:
            wanted = written[pair.disk]
        if pair.after.data_token != wanted:
            yield _data_finding(pair.disk, wanted, pair.after.data_token, carried_by)
    yield from changed_bytes(host.changes)


def changed_bytes(changes: Mapping[str, tuple[ByteRange, ...]]) -> Iterator[Finding]:
    """Return a finding for each range of bytes that changed although nobody was meant to write there."""
    for disk, ranges in changes.items():
        for changed in ranges:
            yield Finding(
                claim=ClaimName.DATA,
                device=disk,
                before=UNCHANGED,
                after=str(changed),
                message=f"{changed} changed and nobody was to write there",
            )


def _data_finding(disk: str, wanted: str | None, found: str | None, carried_by: dict[str, list[str]]) -> Finding:
    if wanted is None:
        message = "it carries data that nobody was to write there"
    else:
        elsewhere = ", ".join(carried_by.get(wanted, ()))
        where = f": it is on {elsewhere}" if elsewhere else ""
        message = f"the data written while rescued was not read back{where}"
    return Finding(
        claim=ClaimName.DATA,
        device=disk,
        before=_token(wanted, "written"),
        after=_token(found, "other data"),
        message=message,
    )


def _token(token: str | None, present: str) -> str:
    return "no data" if token is None else present
