"""What speaks of the host is told from what speaks of the product."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import libvirt
import pytest

from harness.errors import DidNotBoot, HostError, HostExhaustedError, disk_error, require_resources
from harness.hypervisor.connection import require_word_on_domain

EXHAUSTED = (
    "internal error: qemu unexpectedly closed the monitor: cannot set up guest memory 'pc.ram': Cannot allocate memory",
    "cannot write data to file '/root/etc/qemu/rh-1.xml.new': No space left on device",
    "[Errno 24] Too many open files",
    "qemu-system-x86_64: -vnc 127.0.0.1:0: Failed to find an available port: Address already in use",
)


@pytest.mark.parametrize("said", EXHAUSTED)
def test_a_host_that_has_run_out_of_something_is_no_refusal(said: str) -> None:
    with pytest.raises(HostExhaustedError) as error:
        require_resources(said)
    assert said in str(error.value)
    with pytest.raises(HostExhaustedError):
        require_word_on_domain(libvirt.libvirtError(said))


def test_what_libvirt_says_of_a_domain_is_left_to_whoever_asked() -> None:
    require_word_on_domain(libvirt.libvirtError("internal error: No more available PCI slots"))
    require_word_on_domain(libvirt.libvirtError("unsupported configuration: IDE controllers are unsupported"))


class _Coded(libvirt.libvirtError):
    """An error of libvirt's with a code."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self._code = code

    def get_error_code(self) -> int:
        return self._code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Timed out during operation: cannot acquire state change lock", libvirt.VIR_ERR_OPERATION_TIMEOUT),
        ("monitor socket did not show up: Connection refused", libvirt.VIR_ERR_SYSTEM_ERROR),
    ],
)
def test_a_libvirt_that_is_too_busy_says_nothing_of_a_domain(said: str, code: int) -> None:
    with pytest.raises(HostError, match=said.split(":", maxsplit=1)[0]):
        require_word_on_domain(_Coded(said, code))


def test_a_guest_that_did_not_boot_stays_one_with_its_last_words() -> None:
    told = DidNotBoot("the firmware found no medium", only_its_time_ran_out=True, hint="wait").with_evidence(
        console_tail="No bootable device.", domain_state="running", hint=None
    )
    assert isinstance(told, DidNotBoot)
    assert told.only_its_time_ran_out
    assert str(told).splitlines() == [
        "the firmware found no medium",
        "  domain: running",
        "  last console lines:",
        "    | No bootable device.",
    ]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, HostExhaustedError), (errno.EACCES, HostError), (errno.EROFS, HostError)]
)
def test_a_failed_write_says_what_to_do(number: int, kind: type[HostError]) -> None:
    error = disk_error(OSError(number, os.strerror(number)), Path("/results"), variable="--results")
    assert type(error) is kind
    assert "/results" in error.message
    assert error.hint is not None
    assert ("free some space" in error.hint) == (kind is HostExhaustedError)
    assert "--results" in error.hint
