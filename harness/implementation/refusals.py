"""The words of refusals that are about more than the request: the refuser, and the guest afterwards."""

from __future__ import annotations

from harness.errors import GuestAfter, Refused


def refused_instance(reason: str, *, refused_by: str) -> Refused:
    """Return the refusal of an instance itself, before any rescue."""
    return Refused(f"the instance itself: {reason}", refused_by=refused_by, guest=GuestAfter.NEVER_MADE)


def refused_too_late(reason: str, *, name: str, refused_by: str, vm_state: str | None = None) -> Refused:
    """Return a refusal that came after the implementation ``name`` had switched the guest off.

    ``vm_state`` is Nova's state of the instance. nova-compute shuts the guest down before it looks at the request, and
    ``LibvirtDriver.rescue`` destroys a guest that still runs before it hands libvirt the domain.
    """
    became = "destroyed the guest, which stays off" if refused_by == "libvirt" else "powered the guest off"
    left = "" if vm_state is None else f", and leaves the instance in {vm_state.upper()}"
    return Refused(f"{reason}; {name} has by then {became}{left}", refused_by=refused_by, guest=GuestAfter.SHUT_OFF)
