"""What a Nova's refusal of a rescue comes to: who refused, in whose words, and what has become of the instance."""

from __future__ import annotations

from harness.errors import Refused
from harness.nova.messages import Left, NovaRefusal


def refused_by(refusal: NovaRefusal) -> str:
    """libvirt where its words came through; else the service, or Nova where the instance itself was made."""
    return "libvirt" if refusal.exception == "libvirtError" else refusal.service or "Nova"


def refused_rescue(name: str, refusal: NovaRefusal, left: Left | None, uuid: str) -> Refused:
    """A refused rescue of the instance ``uuid`` by the Nova ``name``.

    Nova shuts the guest down before it looks at what is asked for, and only then hands libvirt the domain.
    """
    by = refused_by(refusal)
    is_libvirts = by == "libvirt"
    reason = refusal.message if is_libvirts else refusal.reason.replace(uuid, "UUID").rstrip(".")
    if left is not None and left.is_off:
        became = "destroyed the guest, which stays off" if is_libvirts else "powered the guest off"
        reason += f"; {name} has by then {became}, and leaves the instance in {left.vm_state.upper()}"
    return Refused(reason, refused_by=by)
