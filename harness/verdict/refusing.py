"""Check that a refused rescue has left the instance as it was, but for what the refusal says of the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.errors import GuestAfter
from harness.frozen import Frozen
from harness.scenario.words import ClaimName
from harness.verdict.expected import HostEvidence
from harness.verdict.finding import Finding
from harness.verdict.on_host import instance_folder
from harness.verdict.restoring import changed_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.verdict.expected import ByteRange

_OFF, _RUNNING = "off", "running"
_SAVED, _DIFFERENT = "saved", "different"


class Traces(Frozen):
    """An instance as the host finds it before or after a rescue that is refused.

    ``run`` tells two runs of the guest apart, and is None while it is off. ``live_xml`` and ``defined_xml`` are None if
    libvirt has no such domain. ``variables`` is a digest of the UEFI variables. ``files`` maps the name of each file in
    the instance's folder to what is compared beside the name.
    """

    run: str | None = None
    live_xml: str | None = None
    defined_xml: str | None = None
    variables: str | None = None
    files: dict[str, str] = Field(default_factory=dict)


def after_refusal(
    said: GuestAfter, before: Traces, after: Traces, changes: Mapping[str, tuple[ByteRange, ...]]
) -> Iterator[Finding]:
    """Return all that a refused rescue has changed and does not say of itself.

    ``said`` is how the refusal leaves the guest; ``changes`` are bytes of disks to which the guest does not write.
    """
    yield from _of_the_guest(said, before, after)
    if after.run == before.run and after.live_xml != before.live_xml:
        yield _harm("running-domain", _SAVED, _DIFFERENT, "the running domain is not the one from before the refusal")
    if after.defined_xml is None:
        yield _harm("domain", _SAVED, "missing", "libvirt no longer knows the domain")
    elif after.defined_xml != before.defined_xml:
        yield _harm("domain", _SAVED, _DIFFERENT, "the domain's definition is not the one from before the refusal")
    if after.variables != before.variables:
        yield _harm("nvram", _SAVED, _DIFFERENT, "the UEFI variables are not those from before the refusal")
    yield from _of_files(before.files, after.files)
    yield from changed_bytes(changes)


def _of_the_guest(said: GuestAfter, before: Traces, after: Traces) -> Iterator[Finding]:
    if after.run == before.run or (after.run is None and said is not GuestAfter.RUNNING):
        return
    message = "the running guest was touched before the rescue was refused, and the refusal does not say so"
    yield _harm("instance", _RUNNING, _OFF if after.run is None else "booted again", message)


def _of_files(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Finding]:
    left_over, lost = (tuple(sorted({*these} - {*those})) for these, those in ((after, before), (before, after)))
    yield from instance_folder(HostEvidence(left_over=left_over, lost=lost))
    for name in sorted({*before} & {*after}):
        if after[name] != before[name]:
            yield _harm("folder", name, f"{name}, written to", f"{name} in the instance's folder was written to")


def _harm(device: str, before: str, after: str, message: str) -> Finding:
    return Finding(claim=ClaimName.RESTORED, device=device, before=before, after=after, message=message)
