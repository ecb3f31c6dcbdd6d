"""A QEMU that has ended before anybody could reach its guest is told from a monitor that does not answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest

from harness.errors import DidNotBoot, HostError
from harness.guest import booted


@pytest.mark.parametrize(
    ("state", "kind"), [(libvirt.VIR_DOMAIN_SHUTOFF, DidNotBoot), (libvirt.VIR_DOMAIN_RUNNING, HostError)]
)
def test_no_way_to_a_guest_is_the_guests_end_only_if_qemu_has_ended(
    state: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_domain: object) -> int:
        raise HostError("QEMU's monitor did not answer")

    monkeypatch.setattr(booted, "forward_ssh", refuse)
    monkeypatch.setattr(booted, "_END_S", 0.1)
    with pytest.raises(kind):
        booted._forwarded(cast("Any", SimpleNamespace(state=lambda: (state, 0))))
