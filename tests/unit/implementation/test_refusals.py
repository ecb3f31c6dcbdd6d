"""Each kind of refusal says how it leaves the guest, as data and in words."""

from __future__ import annotations

import pytest

from harness.errors import GuestAfter, Refused
from harness.implementation.refusals import refused_instance, refused_too_late
from harness.result.case_result import Refusal

KINDS = {
    "request": (Refused("no such bus"), GuestAfter.RUNNING, "refused by reference: no such bus"),
    "instance": (
        refused_instance("no UEFI", refused_by="libvirt"),
        GuestAfter.NEVER_MADE,
        "refused by libvirt: the instance itself: no UEFI",
    ),
    "by libvirt, too late": (
        refused_too_late("no IDE", name="nova:34.0.0", refused_by="libvirt"),
        GuestAfter.SHUT_OFF,
        "refused by libvirt, guest off: no IDE; nova:34.0.0 has by then destroyed the guest, which stays off",
    ),
    "by the service, too late": (
        refused_too_late("full", name="nova:9", refused_by="nova-compute", vm_state="error"),
        GuestAfter.SHUT_OFF,
        (
            "refused by nova-compute, guest off: full; nova:9 has by then powered the guest off,"
            " and leaves the instance in ERROR"
        ),
    ),
}


@pytest.mark.parametrize(("refused", "guest", "told"), KINDS.values(), ids=KINDS.keys())
def test_how_the_guest_is_left(refused: Refused, guest: GuestAfter, told: str) -> None:
    recorded = Refusal.of(refused)
    assert (refused.guest, recorded.guest, str(recorded)) == (guest, guest, told)
    assert Refusal.model_validate_json(recorded.model_dump_json()) == recorded
