"""What the harness says of an instance, a rescue or its end that Nova refuses."""

from __future__ import annotations

from typing import Literal

import libvirt
import pytest

from harness.errors import GuestAfter, HostError, HostExhaustedError
from harness.implementation.nova.messages import Left, NovaRefusal
from harness.implementation.nova.refusals import refused_instance, refused_rescue, refused_unrescue

API, COMPUTE = "nova-api", "nova-compute"
RUNS = Left(vm_state="active", task_state=None, is_off=False)
STRAY = Left(vm_state="error", task_state=None, is_off=False)
LOST = Left(vm_state="error", task_state=None, is_off=True)


def refusal(
    service: Literal["nova-api", "nova-compute"] | None, exception: str, message: str, *, is_novas: bool = True
) -> NovaRefusal:
    return NovaRefusal(exception=exception, message=message, is_novas=is_novas, service=service)


@pytest.mark.parametrize(
    ("said", "left", "by", "reason", "guest"),
    [
        pytest.param(
            refusal("nova-api", "InstanceNotRescuable", "Instance 6f1f cannot be rescued: no."),
            RUNS,
            API,
            "Instance UUID cannot be rescued: no",
            GuestAfter.RUNNING,
            id="untouched",
        ),
        pytest.param(
            refusal("nova-api", "ValueError", "Field value x is invalid", is_novas=False),
            RUNS,
            API,
            "ValueError: Field value x is invalid",
            GuestAfter.RUNNING,
            id="pythons-own",
        ),
        pytest.param(
            refusal("nova-compute", "InstanceNotRescuable", "Instance 6f1f cannot be rescued: Driver Error: full"),
            LOST,
            COMPUTE,
            "Instance UUID cannot be rescued: Driver Error: full; nova:34.0.0 has by then powered the guest off, "
            "and leaves the instance in ERROR",
            GuestAfter.SHUT_OFF,
            id="off",
        ),
        pytest.param(
            refusal("nova-compute", "ImageNotFound", "Image  could not be found."),
            RUNS,
            COMPUTE,
            "Image  could not be found",
            GuestAfter.RUNNING,
            id="before-the-shutdown",
        ),
        pytest.param(
            refusal("nova-compute", "ImageNotFound", "Image  could not be found."),
            STRAY,
            COMPUTE,
            "Image  could not be found; nova:34.0.0 leaves the instance in ERROR, though its guest runs",
            GuestAfter.RUNNING,
            id="in-error-though-it-runs",
        ),
        pytest.param(
            refusal("nova-compute", "libvirtError", "unsupported configuration: no IDE", is_novas=False),
            LOST,
            "libvirt",
            "unsupported configuration: no IDE; nova:34.0.0 has by then destroyed the guest, which stays off, "
            "and leaves the instance in ERROR",
            GuestAfter.SHUT_OFF,
            id="libvirts-words",
        ),
        pytest.param(
            refusal("nova-compute", "libvirtError", "no", is_novas=False),
            None,
            "libvirt",
            "no",
            GuestAfter.RUNNING,
            id="nothing-known",
        ),
    ],
)
def test_who_refused_in_whose_words_and_what_became_of_the_instance(
    said: NovaRefusal, left: Left | None, by: str, reason: str, guest: GuestAfter
) -> None:
    refused = refused_rescue("nova:34.0.0", said, left, "6f1f")
    assert (refused.refused_by, refused.reason, refused.guest) == (by, reason, guest)


@pytest.mark.parametrize(
    ("said", "by", "reason"),
    [
        pytest.param(refusal(None, "InvalidDiskInfo", "no such bus."), "Nova", "no such bus.", id="novas"),
        pytest.param(refusal(None, "KeyError", "'x'", is_novas=False), "Nova", "KeyError: 'x'", id="pythons-own"),
        pytest.param(refusal(None, "libvirtError", "no UEFI", is_novas=False), "libvirt", "no UEFI", id="libvirts"),
    ],
)
def test_an_instance_that_is_refused_was_never_made(said: NovaRefusal, by: str, reason: str) -> None:
    refused = refused_instance(said)
    assert (refused.refused_by, refused.reason) == (by, f"the instance itself: {reason}")
    assert refused.guest is GuestAfter.NEVER_MADE


@pytest.mark.parametrize(
    ("left", "guest"), [(RUNS, GuestAfter.RUNNING), (LOST, GuestAfter.SHUT_OFF), (None, GuestAfter.RUNNING)]
)
def test_a_refused_unrescue_leaves_the_guest_as_nova_says(left: Left | None, guest: GuestAfter) -> None:
    refused = refused_unrescue(refusal("nova-compute", "libvirtError", "no", is_novas=False), left)
    assert (refused.refused_by, refused.reason, refused.guest) == ("libvirt", "no", guest)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            refusal("nova-compute", "libvirtError", "Timed out during operation", is_novas=False).model_copy(
                update={"libvirt_code": libvirt.VIR_ERR_OPERATION_TIMEOUT, "libvirt_domain": libvirt.VIR_FROM_QEMU}
            ),
            id="state-change-lock",
        ),
        pytest.param(
            refusal("nova-compute", "libvirtError", "monitor socket did not show up", is_novas=False),
            id="slow-monitor",
        ),
        pytest.param(
            refusal(
                None,
                "ProcessExecutionError",
                "Unexpected error while running command.\nCommand: mount -o loop,uid=0,gid=0 disk.config /tmp/x\n"
                "Exit code: 32\nStdout: ''\nStderr: \"mount: unknown filesystem type 'vfat'\"",
                is_novas=False,
            ),
            id="no-vfat",
        ),
    ],
)
def test_the_hosts_trouble_is_no_refusal_of_novas(said: NovaRefusal) -> None:
    for made in (
        lambda: refused_instance(said),
        lambda: refused_rescue("nova:34.0.0", said, LOST, "6f1f"),
        lambda: refused_unrescue(said, LOST),
    ):
        with pytest.raises(HostError):
            made()


def test_a_command_that_fails_on_what_nova_asks_of_it_stays_novas_word() -> None:
    said = refusal(None, "ProcessExecutionError", "Command: qemu-img convert\nStderr: 'bad image'", is_novas=False)
    assert refused_instance(said).refused_by == "Nova"


def test_a_host_without_space_is_no_refusal_of_novas() -> None:
    full = refusal("nova-compute", "ProcessExecutionError", "qemu-img: error: No space left on device", is_novas=False)
    with pytest.raises(HostExhaustedError):
        refused_rescue("nova:34.0.0", full, RUNS, "6f1f")
    with pytest.raises(HostExhaustedError):
        refused_instance(full)
