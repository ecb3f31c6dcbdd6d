"""What the harness says of a rescue that Nova refuses."""

from __future__ import annotations

from typing import Literal

import pytest

from harness.nova.messages import Left, NovaRefusal
from harness.nova.refusals import refused_rescue

API, COMPUTE = "nova-api", "nova-compute"
RUNS = Left(vm_state="active", task_state=None, is_off=False)
LOST = Left(vm_state="error", task_state=None, is_off=True)


def refusal(
    service: Literal["nova-api", "nova-compute"], exception: str, message: str, *, is_novas: bool = True
) -> NovaRefusal:
    return NovaRefusal(exception=exception, message=message, is_novas=is_novas, service=service)


@pytest.mark.parametrize(
    ("said", "left", "by", "reason"),
    [
        pytest.param(
            refusal("nova-api", "InstanceNotRescuable", "Instance 6f1f cannot be rescued: no."),
            RUNS,
            API,
            "Instance UUID cannot be rescued: no",
            id="untouched",
        ),
        pytest.param(
            refusal("nova-api", "ValueError", "Field value x is invalid", is_novas=False),
            RUNS,
            API,
            "ValueError: Field value x is invalid",
            id="pythons-own",
        ),
        pytest.param(
            refusal("nova-compute", "InstanceNotRescuable", "Instance 6f1f cannot be rescued: Driver Error: full"),
            LOST,
            COMPUTE,
            "Instance UUID cannot be rescued: Driver Error: full; nova:34.0.0 has by then powered the guest off, "
            "and leaves the instance in ERROR",
            id="off",
        ),
        pytest.param(
            refusal("nova-compute", "ImageNotFound", "Image  could not be found."),
            RUNS,
            COMPUTE,
            "Image  could not be found",
            id="before-the-shutdown",
        ),
        pytest.param(
            refusal("nova-compute", "libvirtError", "unsupported configuration: no IDE", is_novas=False),
            LOST,
            "libvirt",
            "unsupported configuration: no IDE; nova:34.0.0 has by then destroyed the guest, which stays off, "
            "and leaves the instance in ERROR",
            id="libvirts-words",
        ),
        pytest.param(
            refusal("nova-compute", "libvirtError", "no", is_novas=False), None, "libvirt", "no", id="nothing-known"
        ),
    ],
)
def test_who_refused_in_whose_words_and_what_became_of_the_instance(
    said: NovaRefusal, left: Left | None, by: str, reason: str
) -> None:
    refused = refused_rescue("nova:34.0.0", said, left, "6f1f")
    assert (refused.refused_by, refused.reason) == (by, reason)
