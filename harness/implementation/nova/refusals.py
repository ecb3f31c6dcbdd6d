"""Refusals by a Nova: the refuser, the words, and the state of the instance afterwards.

The host's trouble is no refusal: it has run out of something, its libvirt is too busy to answer, or it cannot mount a
file for Nova.
"""

from __future__ import annotations

from harness.errors import GuestAfter, HostError, Refused
from harness.hypervisor.connection import require_code_on_domain
from harness.implementation import refusals
from harness.implementation.nova.messages import Left, NovaRefusal

_RUNNING = "active"
_OF_A_COMMAND = "ProcessExecutionError"
_OF_THE_HOST = ("Command: mount ", "Command: umount ", "Command: mkfs ")
"""Commands by which Nova fills a config drive (nova/virt/configdrive.py). They depend on the host's kernel alone."""


def refused_instance(refusal: NovaRefusal) -> Refused:
    """Return the refusal of an instance that Nova does not make, or whose domain libvirt does not accept from Nova."""
    return refusals.refused_instance(_words(refusal), refused_by=_refused_by(refusal))


def refused_rescue(name: str, refusal: NovaRefusal, left: Left | None, uuid: str) -> Refused:
    """Return the refusal, by the Nova ``name``, to rescue the instance ``uuid``."""
    by = _refused_by(refusal)
    reason = _words(refusal)
    if by != "libvirt":
        reason = reason.replace(uuid, "UUID").rstrip(".")
    if left is not None and left.is_off:
        return refusals.refused_too_late(reason, name=name, refused_by=by, vm_state=left.vm_state)
    if left is not None and left.vm_state != _RUNNING:
        reason += f"; {name} leaves the instance in {left.vm_state.upper()}, though its guest runs"
    return Refused(reason, refused_by=by)


def refused_unrescue(refusal: NovaRefusal, left: Left | None) -> Refused:
    """Return the refusal to unrescue an instance."""
    guest = GuestAfter.SHUT_OFF if left is not None and left.is_off else GuestAfter.RUNNING
    return Refused(_words(refusal), refused_by=_refused_by(refusal), guest=guest)


def _refused_by(refusal: NovaRefusal) -> str:
    """Return libvirt if the words are libvirt's; else the service, or Nova if the instance was being made."""
    return "libvirt" if refusal.exception == "libvirtError" else refusal.service or "Nova"


def _words(refusal: NovaRefusal) -> str:
    require_code_on_domain(refusal.message, refusal.libvirt_code)
    if refusal.exception == _OF_A_COMMAND and any(command in refusal.message for command in _OF_THE_HOST):
        raise HostError(f"the host does not do what Nova asks of it: {refusal.message}")
    return refusal.message if _refused_by(refusal) == "libvirt" else refusal.reason
